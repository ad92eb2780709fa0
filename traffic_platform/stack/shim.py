"""Preparation of a service's process between fork and exec: account, signals, death signal.

Run as `python -I -S shim.py OPTIONS PROGRAM ARGUMENT…`. It imports nothing of the platform, so a
service starts about 50 ms later and needs no more memory. OPTIONS is JSON:

    parent        pid of the supervisor; if it has ended already, nothing is started
    death_signal  number of the signal that the service gets when its parent dies (Linux)
    uid, gid      account to change to (PostgreSQL refuses to run as root). The process keeps one
                  capability: to reach folders that only root may traverse. null: no change
    namespace     true: use the account inside a separate user namespace, which needs no privilege.
                  Outside of it, and on disk, the process remains root

Signal handling is reset: a shell's `&` leaves SIGINT ignored, and exec passes this on. Dagster's
code server then ignores SIGTERM, too.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

_SET_DEATH_SIGNAL = 1
_KEEP_CAPABILITIES = 8
_AMBIENT, _AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_NEW_USER_NAMESPACE = 0x10000000


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _reset_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def _change_account(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    """Change from root to `uid`, but keep the right to bypass file permissions."""
    _check(libc.prctl(_KEEP_CAPABILITIES, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    mask = 1 << _CAP_DAC_OVERRIDE
    # Effective, permitted, inheritable; then zeros for the capabilities above 31.
    _check(libc.capset(header, (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)), "capset")
    raised = libc.prctl(_AMBIENT, _AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
    _check(raised, "prctl(PR_CAP_AMBIENT_RAISE)")


def _enter_namespace(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    outside_uid, outside_gid = os.getuid(), os.getgid()
    _check(libc.unshare(_NEW_USER_NAMESPACE), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{gid} {outside_gid} 1")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside_uid} 1")


def main() -> None:
    """Apply the options of the command line, then exec the program."""
    options = json.loads(sys.argv[1])
    _reset_signals()
    libc = ctypes.CDLL(None, use_errno=True)
    if options["uid"] is not None:
        change = _enter_namespace if options["namespace"] else _change_account
        change(libc, options["uid"], options["gid"])
    if sys.platform == "linux":
        # The change of account clears the death signal, so it is set afterwards.
        set_death_signal = libc.prctl(_SET_DEATH_SIGNAL, options["death_signal"], 0, 0, 0)
        _check(set_death_signal, "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != options["parent"]:
        sys.exit("the supervisor ended before this service started")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606


if __name__ == "__main__":
    main()
