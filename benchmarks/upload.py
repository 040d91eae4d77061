"""A photo as the request that every contender gets: a form with the file, as browsers and curl send it."""

from scripts.port import HOST

BOUNDARY = "photo-boundary-of-the-benchmark"


def upload(photo: bytes, path: str = "/predict") -> bytes:
    """A whole HTTP/1.1 request with the JPEG as the form's `file`."""
    body = b"".join(
        (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'.encode(),
            b"Content-Type: image/jpeg\r\n\r\n",
            photo,
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        )
    )
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
