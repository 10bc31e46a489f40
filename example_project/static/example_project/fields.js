// The fields that forms share. Their names are the parameters' names in the SDK.

export const email = {
  name: "email",
  label: gettext("E-mail"),
  type: "email",
  autocomplete: "email",
  dir: "ltr",
};

export const phone = {
  name: "phone",
  label: gettext("Phone number, with + and country code"),
  type: "tel",
  autocomplete: "tel",
  placeholder: "+4915112345678",
  dir: "ltr",
};

export const name = {
  name: "name",
  label: gettext("Name"),
  autocomplete: "name",
  optional: true,
};

export const password = {
  name: "password",
  label: gettext("Password"),
  type: "password",
  autocomplete: "current-password",
};

export const newPassword = {
  name: "password",
  label: gettext("New password, at least 8 characters"),
  type: "password",
  autocomplete: "new-password",
};

// What links carry. They fill these in by themselves.
export const userId = { name: "userId", label: gettext("User ID"), dir: "ltr" };
export const secret = { name: "secret", label: gettext("Secret"), dir: "ltr" };

const code = {
  label: gettext("Code"),
  autocomplete: "one-time-code",
  dir: "ltr",
  takesCode: true,
};
export const secretCode = { ...code, name: "secret" };
export const otp = { ...code, name: "otp" };

const providers = document.body.dataset.providers.split(" ").filter(Boolean);
export const provider = {
  name: "provider",
  label: providers.length
    ? gettext("Provider")
    : gettext("There is no provider: start the site by manage.py demo, or set OAUTH2_PROVIDERS"),
  choices: providers.map((key) => [key, key]),
};

export const sure = { name: "sure", label: gettext("I am sure"), type: "checkbox" };
