"""Django with nothing but the database of the product: what the floor runs on."""

from config.settings import DATABASES as DATABASES

SECRET_KEY = "no secret: the floor signs nothing"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.floor"
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
USE_TZ = True
