"""What the lab's privacyIDEA is told at its start; all of it comes from the environment."""

import logging
import os

_data = os.environ["LAB_DATA"]
SECRET_KEY = os.environ["LAB_KEY"]
PI_PEPPER = os.environ["LAB_PEPPER"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_data}/pi.sqlite"
SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"timeout": 30}}
PI_ENCFILE = f"{_data}/enckey"
PI_AUDIT_KEY_PRIVATE = f"{_data}/private.pem"
PI_AUDIT_KEY_PUBLIC = f"{_data}/public.pem"
PI_UUID_FILE = f"{_data}/uuid"
PI_LOGCONFIG = f"{_data}/no-logging.cfg"
PI_LOGFILE = f"{_data}/privacyidea.log"
PI_LOGLEVEL = logging.WARNING
PI_NODE = "lab"
PI_BASE_URL = "http://127.0.0.1"
SUPERUSER_REALM = ["desks"]
PI_AUDIT_NO_PRIVATE_KEY_CHECK = True
PI_RESPONSE_NO_PRIVATE_KEY_CHECK = True
PI_ENGINE_REGISTRY_CLASS = "shared"
# The real hashing of PINs takes half a second for each enrolment.
PI_HASH_ALGO_PARAMS = {"argon2__rounds": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}
# Nobody here reads the signatures of its answers and of its audit.
PI_AUDIT_NO_SIGN = True
PI_NO_RESPONSE_SIGN = True
