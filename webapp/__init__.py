"""Serves the site and artifact folders, or bundles them for a static host."""

from webapp.app import create_app
from webapp.bundle import Bundle, write_bundle
from webapp.compression import compress
from webapp.errors import WebappError
from webapp.server import serve
from webapp.settings import Settings
from webapp.site_files import site_files

__all__ = [
    "Bundle",
    "Settings",
    "WebappError",
    "compress",
    "create_app",
    "serve",
    "site_files",
    "write_bundle",
]
