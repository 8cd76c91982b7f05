"""What secrets are encrypted for: a text encrypted for one purpose decrypts for no other."""

PURPOSE_SIP = "sip-account"
PURPOSE_PHONE = "phone-password"
PURPOSE_SETTING = "setting"
PURPOSE_TOKEN = "device-token"  # noqa: S105 - the name of a purpose
PURPOSE_SCREEN = "screen-token"
PURPOSE_PASSWORD = "device-password"  # noqa: S105 - likewise
PURPOSE_ORGANISATION = "organisation-token"
PURPOSE_DECT = "dect-access-code"
PURPOSE_TOTP = "totp"
PURPOSE_CONNECTOR = "connector"
PURPOSE_SIGN_IN = "sign-in"
PURPOSE_ATTEMPT = "attempt"
PURPOSE_UPLOAD = "phone-upload"
PURPOSE_PIN = "pin-digest"
