from drf_spectacular.openapi import AutoSchema as AccountSchema
