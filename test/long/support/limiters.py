"""Servers behind limiters as they are published: three calls in two seconds, each on a port of its own. Prints the ports,
and then the calls it sees."""
import asyncio, json, logging, sys, threading, time, warnings
from contextlib import asynccontextmanager
from datetime import timedelta
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import django
import fakeredis
import flask
import flask_limiter
import uvicorn
from django.conf import settings
from fastapi import Depends, FastAPI, Request, Response
from fastapi_limiter import FastAPILimiter
from fastapi_limiter.depends import RateLimiter
from quart import Quart
from quart_rate_limiter import RateLimit, RateLimiter as QuartRateLimiter
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded

CALLS, SECONDS = 3, 2
EACH = f"{CALLS} per {SECONDS} seconds"
lock = threading.Lock()


def say(what):
    with lock:
        print(json.dumps(what), flush=True)


def saw(name, status, at):
    say({"name": name, "status": status, "at": round(at * 1000)})


def everybody(*_):
    return "everybody"


def with_flask(strategy):
    app = flask.Flask("limited")
    flask_limiter.Limiter(everybody, app=app, application_limits=[EACH], headers_enabled=True, strategy=strategy)
    app.get("/<path>")(lambda path: "ok")
    return app


def with_django():
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="limited_urls",
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
        SILENCED_SYSTEM_CHECKS=["django_ratelimit.E003", "django_ratelimit.W001"],
    )
    django.setup()
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path
    from django_ratelimit.decorators import ratelimit
    from django_ratelimit.exceptions import Ratelimited
    from rest_framework.response import Response as Answer
    from rest_framework.throttling import SimpleRateThrottle
    from rest_framework.views import APIView

    class Throttle(SimpleRateThrottle):
        scope = "all"
        rate = "3/s"

        # the words of a rate know no two seconds
        def parse_rate(self, rate):
            return CALLS, SECONDS

        def get_cache_key(self, request, view):
            return "everybody"

    class Rest(APIView):
        throttle_classes = [Throttle]

        def get(self, request, n):
            return Answer("ok", content_type="application/json")

    @ratelimit(key=everybody, rate=f"{CALLS}/{SECONDS}s")
    def plain(request, n):
        return HttpResponse("ok")

    # it refuses with a 403 unless the project says otherwise, as its documentation shows
    def refuse(request, exception=None):
        return HttpResponse("too many", status=429 if isinstance(exception, Ratelimited) else 403)

    urls = type(sys)("limited_urls")
    urls.urlpatterns = [path("rest/<n>", Rest.as_view()), path("plain/<n>", plain)]
    urls.handler403 = refuse
    sys.modules["limited_urls"] = urls
    app = get_wsgi_application()

    def under(prefix):
        return lambda environ, start: app({**environ, "PATH_INFO": f"/{prefix}{environ['PATH_INFO']}"}, start)

    return under("rest"), under("plain")


def with_slowapi():
    app = FastAPI()
    app.state.limiter = Limiter(key_func=everybody, headers_enabled=True, key_style="endpoint")
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)

    @app.get("/{n}")
    @app.state.limiter.limit(EACH)
    def call(request: Request, response: Response, n: str):
        return "ok"

    return app


def with_fastapi_limiter():
    async def everyone(_):
        return "everybody"

    @asynccontextmanager
    async def lifespan(app):
        await FastAPILimiter.init(fakeredis.FakeAsyncRedis(decode_responses=True), identifier=everyone)
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/{n}", dependencies=[Depends(RateLimiter(times=CALLS, seconds=SECONDS))])
    async def call(n: str):
        return "ok"

    return app


def with_quart():
    app = Quart("limited")

    async def key():
        return "everybody"

    QuartRateLimiter(app, key_function=key, default_limits=[RateLimit(CALLS, timedelta(seconds=SECONDS))])

    @app.get("/<n>")
    async def call(n):
        return "ok"

    return app


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def serve_wsgi(name, app):
    def watched(environ, start):
        at = time.monotonic()

        def begun(status, headers, *more):
            saw(name, int(status[:3]), at)
            return start(status, headers, *more)

        return app(environ, begun)

    server = make_server("127.0.0.1", 0, watched, Server, Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


async def serve_asgi(name, app):
    async def watched(scope, receive, send):
        at = time.monotonic()

        async def sent(message):
            if message["type"] == "http.response.start":
                saw(name, message["status"], at)
            await send(message)

        await app(scope, receive, sent if scope["type"] == "http" else send)

    server = uvicorn.Server(uvicorn.Config(watched, port=0, log_level="critical"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            raise SystemExit(f"{name} did not start")
        await asyncio.sleep(0.02)
    return server.servers[0].sockets[0].getsockname()[1]


async def main():
    rest, plain = with_django()
    wsgi = {
        "Flask-Limiter, fixed window": with_flask("fixed-window"),
        "Flask-Limiter, moving window": with_flask("moving-window"),
        "Django REST framework": rest,
        "django-ratelimit": plain,
    }
    asgi = {
        "slowapi": with_slowapi(),
        "fastapi-limiter": with_fastapi_limiter(),
        "quart-rate-limiter": with_quart(),
    }
    ports = {name: serve_wsgi(name, app) for name, app in wsgi.items()}
    for name, app in asgi.items():
        ports[name] = await serve_asgi(name, app)
    say({"ports": ports})
    await asyncio.Event().wait()


asyncio.run(main())
