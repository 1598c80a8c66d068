# The image runs one process: pages and queues. Redis runs beside it (compose.yaml), never inside.
FROM node:24-bookworm-slim

ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=1 \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATABASE_PATH=/data/openseat.db
WORKDIR /app

# The optional packages are Node itself, which this image has, and a faster codec that BullMQ does without.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

COPY drizzle ./drizzle
COPY templates ./templates
COPY src ./src

RUN mkdir -m 0700 /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000

# Alive, not ready: a Redis that is away is no reason to restart. Node fetches, as the image has no curl.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# Node as process 1 takes SIGTERM itself (src/cli.ts finishes what is in flight), so it must not stand behind npm or
# a shell. It starts no children here; compose.yaml adds `init: true` for a SIGTERM before Node has come up.
STOPSIGNAL SIGTERM
CMD ["node", "--max-semi-space-size=4", "--heap-growing-percent=200", "--max-old-space-size=512", "src/cli.ts", "start"]
