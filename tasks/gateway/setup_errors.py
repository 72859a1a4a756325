"""What can go wrong when an HTTP client is set up, before any call: the environment's proxies and certificates."""

import ssl
from typing import Final

from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.vocabulary.errors import InputError

SETUP_ERRORS: Final = (ImportError, ValueError, OSError, ssl.SSLError)


def setup_error(endpoint: Endpoint, error: Exception) -> InputError:
    """Return the error that names the settings to check; it doesn't repeat their values."""
    missing = ": a package that the proxy needs isn't installed" if isinstance(error, ImportError) else ""
    return InputError(
        f"the connection to {endpoint} can't be set up{missing}: check HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and "
        "SSL_CERT_DIR"
    )
