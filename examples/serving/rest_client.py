"""Translates over REST, with a deadline and with retries, by Python's standard library alone.

python rest_client.py http://localhost:8501 "A dog runs over the grass." "Two men talk."
"""

import argparse
import json
import random
import sys
import time
import urllib.error
import urllib.request

# Status codes while the server is unavailable, loading or overloaded.
RETRIED = (429, 502, 503, 504)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


def translate(server, texts, *, model="translator", timeout=10.0):
    """Translates texts in one request.

    Args:
        server: `http://host:port`.
        texts: list of strings.
        model: name of the model.
        timeout: seconds for the request, with all its attempts.

    Returns:
        A list of dicts with `translation`, `log_probability` and `is_cut` (it was truncated).

    Raises:
        OSError: a timeout, or an error that is not retried.
    """
    url = f"{server}/v1/models/{model}:predict"
    body = json.dumps({"instances": [{"text": text} for text in texts]}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
    while True:
        left = deadline - time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=max(left, 0.001)) as answer:
                return json.load(answer)["predictions"]
        except urllib.error.HTTPError as error:
            if error.code not in RETRIED:
                raise OSError(f"{url}: {error.code}: {_reason(error)}") from error
            failure = error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            failure = error
        # Jitter: clients that failed together do not retry together.
        wait = pause * random.uniform(0.5, 1.5)
        if time.monotonic() + wait >= deadline:
            raise TimeoutError(f"{url}: no answer within {timeout:g} seconds: {failure}")
        time.sleep(wait)
        pause = min(3 * pause, LONGEST_PAUSE)


def _reason(error):
    """The error message of the server."""
    text = error.read().decode(errors="replace")
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return text.strip()


def main():
    parser = argparse.ArgumentParser(description="Translate over REST.")
    parser.add_argument("server", metavar="http://HOST:PORT")
    parser.add_argument("texts", metavar="TEXT", nargs="+")
    parser.add_argument("--model", default="translator", help="name of the model (translator)")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds (10)")
    options = parser.parse_args()
    try:
        answers = translate(
            options.server, options.texts, model=options.model, timeout=options.timeout
        )
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for answer in answers:
        note = "  (the text was truncated)" if answer["is_cut"] else ""
        print(f"{answer['translation']}\t{answer['log_probability']:.3f}{note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
