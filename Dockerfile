# The service alone; Redis or Valkey runs beside it (see compose.yaml).
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY router router
COPY static static
RUN pip install --no-cache-dir -c requirements.lock --prefix /install .

FROM python:3.13-slim
COPY --from=build /install /usr/local
RUN useradd --system --create-home --home-dir /data router
USER router
WORKDIR /data
ENV HOST=0.0.0.0 PORT=8000 ROUTER_DATA=/data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["router"]
CMD ["serve"]
