import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The metrics of one process: what it counts itself, plus readings of the ledger taken at each scrape. */
export type Metrics = {
  /** Seconds from request to answer, by kind of answer. */
  submitSeconds: Histogram<'answer'>
  /** Webhook events that this process received, by type. */
  webhooks: Counter<'type'>
  /** Starts measuring the delay of the event loop. */
  watchEventLoop(): void
  /** All metrics, with these readings, in the text format of Prometheus. */
  text(readings: Readings): Promise<string>
  contentType: string
}

/** A value, or values by label. Null if it could not be read: Prometheus then gets no sample. */
export type Readings = Record<keyof typeof READ, number | null | Record<string, number>>

const PREFIX = 'openseat_'

// Read from the ledger at each scrape, so every process of the installation reports the same values. Label sets are
// small and fixed.
const READ = {
  part_ready: ['part', '1 if this part works: database, redis, disk, held (1 = not on hold)'],
  editions: ['state', 'Editions in the ledger'],
  editions_paused: [
    'cause',
    'Editions waiting for an operator, by cause: breaker (too many bounces or complaints), other',
  ],
  editions_waiting: [null, 'Editions that are due and wait for an operator to approve them'],
  held: [null, '1 while nothing is submitted because the database is on hold (restored or copied)'],
  deliveries: ['state', 'Deliveries of all editions'],
  last_edition_deliveries: ['state', 'Deliveries of the newest edition'],
  last_edition_age_seconds: [null, 'Seconds since the slot of the newest edition'],
  late_seconds: [
    null,
    'Seconds since the current slot was due, while its edition is unfinished; 0 once it is finished',
  ],
  next_slot_timestamp_seconds: [null, 'Time at which the next edition is due'],
  batches_owed: [null, 'Batches that are planned or being submitted'],
  notices_owed: [null, 'Emails outside editions, such as confirmations, that are planned or being submitted'],
  suppressions: ['reason', 'Addresses that are never emailed again'],
  last_report_age_seconds: [null, 'Seconds since the last webhook event from Resend'],
  rate_limit_per_second: [null, 'Requests per second that all workers together may make'],
  workers: [null, 'Worker processes on the queue'],
  batch_jobs: ['state', 'Wake-ups for batches and notices in Redis'],
  edition_jobs: ['state', 'Wake-ups for the sweep in Redis; delayed holds the schedulers'],
  disk_free_bytes: [null, 'Free space on the disk that holds the database'],
  database_bytes: [null, 'Size of the database, including its write-ahead log'],
} as const satisfies Record<string, [string | null, string]>

const LOOP_RESOLUTION_MS = 100

/** Creates the metrics of one process, in a registry of their own. */
export function openMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const gauges = Object.entries(READ).map(([name, [label, help]]) => {
    const gauge = new Gauge({ name: PREFIX + name, help, labelNames: label ? [label] : [], registers })
    return { name: name as keyof Readings, label, gauge }
  })
  addProcess(registry)
  return {
    submitSeconds: new Histogram({
      name: `${PREFIX}submit_seconds`,
      help: 'Seconds until Resend answered a batch or notice, by answer: accepted, uncertain, rate-limited (429), stopped, conflict',
      labelNames: ['answer'],
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
    webhooks: new Counter({
      name: `${PREFIX}webhooks_total`,
      help: 'Webhook events that this process received, by type; "forged" ones were refused',
      labelNames: ['type'],
      registers,
    }),
    watchEventLoop: addEventLoop(registry),
    async text(readings) {
      for (const { name, label, gauge } of gauges) show(gauge, label, readings[name])
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}

function show(gauge: Gauge, label: string | null, reading: Readings[keyof Readings]): void {
  gauge.reset()
  if (label === null) {
    if (typeof reading === 'number') gauge.set(reading)
    else gauge.remove() // after reset() the gauge is 0, which would look healthy
  } else if (reading !== null && typeof reading === 'object') {
    for (const [value, count] of Object.entries(reading)) gauge.set({ [label]: value }, count)
  }
}

function addProcess(registry: Registry): void {
  registry.registerMetric(
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of this process',
      registers: [],
      collect() {
        this.set(process.memoryUsage.rss())
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'process_cpu_seconds_total',
      help: 'CPU time that this process has used',
      registers: [],
      collect() {
        const { user, system } = process.cpuUsage()
        this.set((user + system) / 1e6)
      },
    }),
  )
}

function addEventLoop(registry: Registry): () => void {
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  registry.registerMetric(
    new Gauge({
      name: `${PREFIX}event_loop_delay_seconds`,
      help: 'Delay of the event loop of this process since the last scrape',
      labelNames: ['quantile'],
      registers: [],
      collect() {
        const seconds = (ns: number) => Math.max(0, ns / 1e9 - LOOP_RESOLUTION_MS / 1000) || 0
        this.set({ quantile: '0.5' }, seconds(delay.percentile(50)))
        this.set({ quantile: '0.99' }, seconds(delay.percentile(99)))
        this.set({ quantile: '1' }, seconds(delay.max))
        delay.reset()
      },
    }),
  )
  return () => void delay.enable()
}
