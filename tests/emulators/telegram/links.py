"""Which addresses Telegram takes for links, in text and under buttons."""

from urllib.parse import urlsplit


def usable(url: str) -> bool:
    """TDLib: check_url. http, https, tg and ton; a host without a dot (`localhost`) is a wrong HTTP URL."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme in ("tg", "ton"):
        return True
    if parts.scheme not in ("http", "https") or " " in url:
        return False
    return "." in host.strip(".") or ":" in host
