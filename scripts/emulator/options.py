"""What the account is like, as switches: --name=value on the command line, and while it runs by POST /emulator/options."""
import sys

OPTIONS = {
    "mode": "",  # snapshot or twins: modes.py
    "idle-transaction-s": 300.0,  # a transaction that blocks others is aborted after so much idleness
    "lock-waiters": 20,  # 50 on newer accounts
    "autocommit": True,  # of the account; a session may set it
    "abort-on-error": False,  # TRANSACTION_ABORT_ON_ERROR of the account
    "refused-parameters": "",  # session parameters that ALTER SESSION refuses, by comma
    "stale-ms": 0,  # for so long an older session need not see what another has committed
    "grants": False,  # enforce them: grants.py
    "slow-answer-s": 45.0,  # then 333333, and the result has to be fetched
    "max-body-bytes": 0,  # 413 above it (as sent, so compressed); 0: no limit
    "latency": False,  # each statement takes as long as has been measured on an account
    "tls-port": 0,  # HTTPS on this port as well
    "tls-dir": "",  # where its certificate authority is kept
    "streaming-commit-ms": 200.0,  # from the answer until rows are committed; negative or never: they are not
    "streaming-latency-ms": 0.0,  # of the answer to an append
    "streaming-token-s": 600.0,  # how long a scoped token is valid
    "streaming-discard": False,  # an append is answered with 200 and its rows discarded, as by an invalid pipe
}
MODES = ("", "snapshot", "twins")


def set_option(name, text):
    if name not in OPTIONS:
        raise ValueError(f"no option {name}")
    kind = type(OPTIONS[name])
    text = -1 if text == "never" and kind is float else text
    value = str(text).lower() == "true" if kind is bool else kind(text)
    if name == "mode" and value not in MODES:
        raise ValueError(f"mode is snapshot or twins, not {value}")
    OPTIONS[name] = value


def from_command_line():
    """The arguments that are no options."""
    rest = []
    for argument in sys.argv[1:]:
        if argument.startswith("--"):
            set_option(*argument[2:].split("=", 1))
        else:
            rest.append(argument)
    return rest
