/** A certificate for tests: self-signed, for localhost and 127.0.0.1, good for a hundred years, known to everybody. */
import type { TlsConfig } from "../server-config.ts";

/** Its certificate and its key. */
export const testCertificate: TlsConfig = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUQIPuUxfIWHoT9sg7BkqJJuUFrDUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjEwMTUyNFoYDzIxMjYxMDI5
MTAxNTI0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATCpETiqBMpDeDoMvExlF8TK9In9nTDOQ1p/Kq0DOavk5bgtPFUAHWa
7S6b6Kpy4dbelJrgZ4EFl7V4dXSBoDdQo28wbTAdBgNVHQ4EFgQUqV1Hfx3JMay6
M5JCrEWm69YMcmEwHwYDVR0jBBgwFoAUqV1Hfx3JMay6M5JCrEWm69YMcmEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgK6gMTEwQwcdhQlQqbaz1MSU+NSorGbf4+MM5IcwzgRcCIQC7
8a/2b+srCw3GDUEAURsFVN7wZ85DqZJRXVFiWKzXjQ==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7Z+CCvjX/2yq3iGs
m9M72ehOIkKulS8qfto7heRzxpShRANCAATCpETiqBMpDeDoMvExlF8TK9In9nTD
OQ1p/Kq0DOavk5bgtPFUAHWa7S6b6Kpy4dbelJrgZ4EFl7V4dXSBoDdQ
-----END PRIVATE KEY-----`,
};
