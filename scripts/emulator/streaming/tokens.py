"""Who asks: key-pair JWTs and programmatic access tokens at the account, scoped tokens with an end everywhere else."""
import math
import re
import secrets
import time

import grants
import jwt
from options import OPTIONS
from streaming.refused import Refused

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PAT_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
DEFAULT_ROLE = "PUBLIC"

_secret = secrets.token_hex(32)
_ROLE = re.compile(r"session:role:(\S+)")
# Either unit of `exp` is seen: the official client counts milliseconds.
_MILLISECONDS = 10**11


def _refused(message):
    return Refused(401, "390144", message)


def bearer(request):
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""


def _claims(token):
    """Of a key-pair JWT. The emulator keeps no public keys, so that the signature is not verified."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False, "verify_iat": False})
        algorithm = jwt.get_unverified_header(token)["alg"]
        end = claims["exp"] / (1000 if claims["exp"] > _MILLISECONDS else 1)
        user, key = re.fullmatch(r"(.+)\.SHA256:(\S+)", claims["iss"]).groups()
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError):
        raise _refused("JWT token is invalid.") from None
    if algorithm != "RS256" or not key or claims.get("sub") != user or user != user.upper() or end < time.time():
        raise _refused("JWT token is invalid.")
    return claims


def check_user(request):
    """The credential of a call to the account itself."""
    token = bearer(request)
    if request.headers.get("x-snowflake-authorization-token-type", "").upper() == "KEYPAIR_JWT":
        _claims(token)
    elif token in ("", "wrong"):
        raise _refused("Programmatic access token is invalid.")


def _role_of(scope):
    found = _ROLE.search(scope or "")
    return found.group(1).upper() if found else None


def exchange(request, form):
    """The scoped token, as the bare text of a JWT."""
    role = _role_of(form.get("scope"))
    if form.get("grant_type") == JWT_GRANT:
        role = role or _role_of(_claims(form.get("assertion") or bearer(request)).get("scp"))
    elif form.get("grant_type") != PAT_GRANT:
        raise Refused(400, "unsupported_grant_type", "The grant type is not supported.")
    elif (form.get("subject_token") or bearer(request)) in ("", "wrong"):
        raise _refused("Programmatic access token is invalid.")
    role = role or DEFAULT_ROLE
    if OPTIONS["grants"] and role not in grants.roles:
        raise Refused(401, "390189", f"Role '{role}' specified in the scope does not exist or not authorized.")
    end = time.time() + OPTIONS["streaming-token-s"]
    # The official client takes whole seconds only.
    claims = {"iss": "emulator", "scp": f"session:role:{role}", "iat": int(time.time()), "exp": math.ceil(end), "end": end}
    return jwt.encode({**claims, "jti": secrets.token_hex(8)}, _secret, algorithm="HS256")


def role_of(request):
    """Of the scoped token of a call; refused when it has expired, or was issued before a restart."""
    try:
        claims = jwt.decode(bearer(request), _secret, algorithms=["HS256"], options={"verify_exp": False})
    except jwt.PyJWTError:
        raise Refused(401, "390303", "Invalid OAuth access token.") from None
    if claims["end"] < time.time():
        raise Refused(401, "390318", "OAuth access token expired.")
    return _role_of(claims["scp"])
