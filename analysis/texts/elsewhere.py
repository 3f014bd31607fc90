"""What people read that stands elsewhere: in what the recording says of itself, in click, in the operating system.

The rest that is looked up by its English is found where it is said (`analysis.translation_source`).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping

from analysis.language import Forms

_RECORDING = (
    "client rejected the certificate",
    "disconnected during the handshake",
    "client left during the handshake",
    "client accepted the handshake and left without a request",
    "the server's certificate is not trusted",
    "client and proxy share no version or cipher of TLS",
    "server refused TLS",
    "the server asked for a certificate that only the device has",
    "the server could not be reached",
    "was not looked into",
    "is not HTTP",
    "is STUN",
    "was not answered",
    "was not kept",
    "only the beginning was kept",
    "bytes are missing in the capture",
    "a part of its HTTP is missing or damaged",
    "not inspected: the app does not accept the proxy's certificate",
    "not inspected: device, proxy and server have no version or cipher of TLS in common",
    "not inspected: the proxy cannot verify the server's certificate, so the app decides by itself",
    "not inspected: the server wants a certificate that only the device has",
    "not inspected: on your list of names that are never intercepted",
    "this address belongs to the machine on which phonehome runs, and cannot be reached through it",
    "this address is in your household; `phonehome watch --allow-lan` lets devices reach others at home",
    "ports of phonehome itself cannot be reached through it",
    "this is no name of a server",
    "is damaged",
    "is damaged ({kind})",
    "is odd ({kind})",
    "is cut off",
    "is cut off or damaged",
    "is of an unknown kind",
    "comes from a newer mitmproxy",
    "has no address",
    "has an address that cannot be read",
    "is no network call",
    "the file is damaged after this",
    "is encrypted on the radio link",
    "is cut off within its headers",
    "{reason}; {n} bytes were skipped",
    "the clock was set forward by {n} h {m} min while it recorded: times before and after do not fit together",
    "the clock was set back by {n} h {m} min while it recorded: times before and after do not fit together",
    (
        "A flow file holds no failed connections: apps that refused to be looked into do not show in it "
        "(`phonehome watch` records them)."
    ),
    (
        "A HAR file holds what one browser tab or program recorded: no other program, and no connection that "
        "failed before a request."
    ),
    "Packets show whom a device called, when and how much; what was encrypted could not be read.",
    "Bytes of connections are counted on the wire, with all headers and with what was sent twice.",
)
"""Why something could not be read, and what a kind of capture cannot show."""

_CLICK: tuple[str | Forms, ...] = (
    "Aborted!",
    "Usage:",
    "Options",
    "Commands",
    "Show the version and exit.",
    "Show this message and exit.",
    "Error: {message}",
    "Try '{command} {option}' for help.",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "Missing command.",
    "No such option {name!r}.",
    "No such command {name!r}.",
    "Could not open file {filename!r}: {message}",
    "Option {name!r} does not take a value.",
    "Argument {name!r} takes {nargs} values.",
    "Choose from:\n\t{choices}",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a file.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is not readable.",
    "{name} {filename!r} is not writable.",
    "Error: invalid input",
    "default: {default}",
    "required",
    "file",
    "directory",
    "path",
    "integer",
    "integer range",
    "float",
    "float range",
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)
"""Where a tuple stands: for one and for many."""

_SYSTEM = (
    "no such file or directory",
    "permission denied",
    "operation not permitted",
    "is a directory",
    "not a directory",
    "file exists",
    "no space left on device",
    "read-only file system",
    "address already in use",
    "cannot assign requested address",
    "file name too long",
    "input/output error",
    "network is down",
    "cannot be used",
)
"""Errors of the operating system, in small letters."""

FILE_TROUBLE: Mapping[int, str] = {
    errno.ENOENT: "there is no such file or folder; check the path",
    errno.ENOTDIR: "a part of the path is no folder; check the path",
    errno.EISDIR: "is a folder; give a file",
    errno.EACCES: "may not be used; change its permissions or choose another place",
    errno.EPERM: "may not be used; change its permissions or choose another place",
    errno.EROFS: "cannot be changed there; choose another place",
    errno.ENOSPC: "no space left on device; make room or choose another place",
    errno.ENAMETOOLONG: "file name too long; choose a shorter one",
    errno.ELOOP: "leads back to itself; check the path",
}
"""Number of an error of the operating system -> what is wrong with a file, and what to do."""


_JOINED = (" and ", "every way")
"""What stands between several sentences, and where none is given."""


_VALUES = ("a text", "a whole number", "a number", "true or false", "nothing")
"""What a key of a pack must hold, and what a rule finds where it finds nothing."""


def said() -> Iterator[Forms]:
    """All of it, in English."""
    for text in (*_RECORDING, *_CLICK, *_SYSTEM, *dict.fromkeys(FILE_TROUBLE.values()), *_JOINED, *_VALUES):
        yield text if isinstance(text, tuple) else (text,)


def recording() -> tuple[str, ...]:
    """What the lower layers say of a recording."""
    return _RECORDING
