# syntax=docker/dockerfile:1
# docker build -t millrace .            docker run -p 127.0.0.1:8000:8000 -v millrace-data:/data millrace

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/install-deps scripts/install-deps
RUN scripts/install-deps run && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DMILLRACE_TESTS=OFF -DMILLRACE_BENCH=OFF -DMILLRACE_EXAMPLES=OFF \
 && cmake --build build --target millrace \
 && strip --strip-debug build/millrace

FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates tini tzdata \
      libboost-json1.81.0 librocksdb7.8 libssl3 libcurl4 libspdlog1.10 libtomlplusplus3 libprometheus-cpp-core1.0 libjemalloc2 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin millrace
COPY --from=build /src/build/millrace /usr/local/bin/millrace
COPY LICENSE /usr/share/doc/millrace/LICENSE
USER millrace
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["millrace", "health"]
ENTRYPOINT ["tini", "--", "millrace"]
# Inside the container every interface is bound; whoever publishes the port decides who reaches it.
CMD ["serve", "--listen", "0.0.0.0:8000", "--insecure-bind", "--broker", "file:/data"]
