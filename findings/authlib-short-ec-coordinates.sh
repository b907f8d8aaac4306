#!/usr/bin/env bash
# Authlib writes one EC key in 128 as a JWK that its neighbours refuse, or know by another thumbprint
#
# Versions: Authlib 1.9.10, joserfc 1.8.0, jwcrypto 1.6.1, PyJWT 2.15.1, cryptography 50.0.2 (PyPI).
# Guess: a P-256 key has one JWK, so one thumbprint (RFC 7638): `x` and `y` are 32 bytes, as RFC 7518 (6.2.1.2) asks, also
#   where a coordinate begins with zeros.
# Seen: Authlib (its authlib.jose, which is deprecated in favour of joserfc and still there) drops a leading zero byte. Such a key has an `x` of 31 bytes, and a thumbprint that differs from what joserfc
#   and jwcrypto make of the same key. PyJWT refuses the JWK; joserfc and jwcrypto read it, and then repeat the wrong
#   thumbprint, since they take it from the text and not from the key.
# Why it matters: a session that is bound to a key (DPoP, DBSC) knows the key by its thumbprint. For one key in 128 two
#   services of different libraries disagree about it, or one of them can't read it: a login that fails for few people, always.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  authlib==1.9.10 joserfc==1.8.0 jwcrypto==1.6.1 pyjwt==2.15.1 cryptography==50.0.2

expected="the usual key: x of 32 bytes by authlib, joserfc, jwcrypto, PyJWT; thumbprints: 1
a key whose x begins with 00: x of 31 bytes by authlib, 32 by joserfc, jwcrypto, PyJWT; thumbprints: 2
PyJWT reads authlib's: Coords should be 32 bytes for curve P-256
joserfc reads authlib's: with authlib's thumbprint
jwcrypto reads authlib's: with authlib's thumbprint"

cat > "$work/run.py" <<'PY'
import base64, json, warnings
warnings.simplefilter("ignore")
import jwt
from authlib.jose import ECKey as AuthlibKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey
from jwcrypto.jwk import JWK

def jwks(number):
    """The public JWK of a key, and its thumbprint, by each library."""
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    authlib, joserfc, jwcrypto = AuthlibKey.import_key(pem), ECKey.import_key(pem), JWK.from_pem(pem)
    return {
        "authlib": (authlib.as_dict(), authlib.thumbprint()),
        "joserfc": (joserfc.as_dict(), joserfc.thumbprint()),
        "jwcrypto": (json.loads(jwcrypto.export()), jwcrypto.thumbprint()),
        "PyJWT": (jwt.algorithms.ECAlgorithm.to_jwk(public, as_dict=True), None),
    }

for what, number in (("the usual key", 1), ("a key whose x begins with 00", 379)):
    found, lengths = jwks(number), {}
    for library, (jwk, _) in found.items():
        lengths.setdefault(len(base64.urlsafe_b64decode(jwk["x"] + "==")), []).append(library)
    of = [f"{length}{' bytes' * (at == 0)} by {', '.join(libraries)}" for at, (length, libraries) in enumerate(lengths.items())]
    thumbprints = {thumbprint for _, thumbprint in found.values() if thumbprint}
    print(f"{what}: x of {', '.join(of)}; thumbprints: {len(thumbprints)}")

short, thumbprint = found["authlib"]
same = lambda read: "with authlib's thumbprint" if read.thumbprint() == thumbprint else "with the right thumbprint"
for library, read in (
    ("PyJWT", lambda: jwt.algorithms.ECAlgorithm.from_jwk(short) and "as it is"),
    ("joserfc", lambda: same(ECKey.import_key(short))),
    ("jwcrypto", lambda: same(JWK(**short))),
):
    try:
        print(f"{library} reads authlib's: {read()}")
    except jwt.InvalidKeyError as error:
        print(f"{library} reads authlib's: {error}")
PY
seen=$("$work/venv/bin/python" "$work/run.py")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }
