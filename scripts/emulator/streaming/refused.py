"""What the streaming API refuses: an HTTP status, a code and a message, as its JSON answers carry them."""
from starlette.responses import JSONResponse


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self):
        return JSONResponse({"code": self.code, "message": str(self)}, status_code=self.status)


def missing(kind):
    """What is not there and what the role may not use look the same."""
    return Refused(404, f"ERR_{kind.upper()}_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                   f"{kind.title()} does not exist or not authorized.")
