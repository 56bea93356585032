"""Who may use the console: accounts with argon2 hashes, sessions by the hash of their token.

There is no default password: a generated one is printed once, at the first run or by `broker password`, and only its
hash is kept. A stolen database opens no session, because tokens are kept as hashes as well.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from broker import clock

ADMIN = "admin"
SESSION_LASTS = timedelta(hours=12)
"""A shift; after it, staff log in again."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in."""

    account: str
    token_hash: str


def generate_password() -> str:
    """Four groups of four characters that can't be mistaken for each other: 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def first_password(db: sqlite3.Connection) -> str | None:
    """Where there is no account yet: make the administrator's, and return its password, this once."""
    if db.execute("select 1 from accounts").fetchone():
        return None
    return new_password(db, ADMIN)


def new_password(db: sqlite3.Connection, name: str) -> str:
    """Give an account a fresh password (making the account if need be) and end its sessions."""
    password = generate_password()
    db.execute(
        "insert into accounts values (?, ?, ?) on conflict (name) do update set password_hash = excluded.password_hash",
        (name, _hasher.hash(password), clock.stamp(clock.now())),
    )
    db.execute("delete from sessions where account = ?", (name,))
    return password


def is_right(password_hash: str | None, password: str) -> bool:
    """True where the password fits. About 50 ms, and as long where there is no such account (`None`)."""
    try:
        _hasher.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def open_session(db: sqlite3.Connection, account: str) -> str:
    """Begin a session; returns its token, which stands nowhere but in the browser's cookie."""
    token = secrets.token_urlsafe(32)
    oldest = clock.stamp(clock.now() - SESSION_LASTS)
    db.execute("delete from sessions where created < ?", (oldest,))
    db.execute("insert into sessions values (?, ?, ?)", (_digest(token), account, clock.stamp(clock.now())))
    return token


def find_session(db: sqlite3.Connection, token: str) -> Session | None:
    """The session a token belongs to, unless it has run out."""
    digest = _digest(token)
    oldest = clock.stamp(clock.now() - SESSION_LASTS)
    row = db.execute(
        "select account from sessions where token_hash = ? and created >= ?", (digest, oldest)
    ).fetchone()
    return Session(row[0], digest) if row else None


def close_session(db: sqlite3.Connection, session: Session) -> None:
    """End a session."""
    db.execute("delete from sessions where token_hash = ?", (session.token_hash,))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
