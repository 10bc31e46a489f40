-- wrk: send the requests of a file (separated by null bytes) in turn; print the outcome as JSON.

local requests, place = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for request in file:read("*a"):gmatch("%Z+") do
    requests[#requests + 1] = request
  end
  file:close()
  place = tonumber(args[2])
end

function request()
  place = place + 1
  return requests[place % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    'RESULT {"requests": %d, "seconds": %f, "failed": %d, "p50": %f, "p95": %f}',
    summary.requests,
    summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e6,
    latency:percentile(95) / 1e6
  ))
end
