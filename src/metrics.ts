import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What this process counts while it works, and where it shows what is read from the ledger when somebody asks. */
export type Metrics = {
  /** Seconds from a request to the provider's answer, by kind of answer. */
  submitSeconds: Histogram<'answer'>
  /** What the provider reported to this process, by type. */
  webhooks: Counter<'type'>
  /** Starts to measure how late the event loop comes round. */
  watchEventLoop(): void
  /** Everything as Prometheus reads it, with these readings. */
  text(readings: Readings): Promise<string>
  contentType: string
}

/** One value, or one by label; null where it cannot be told now. */
export type Readings = Record<keyof typeof READ, number | null | Record<string, number>>

const PREFIX = 'openseat_'

// Read anew for every scrape, so any process of the installation tells the same. Label sets are small and fixed.
const READ = {
  part_ready: ['part', '1 when this part is in order: database, redis, disk, held (1 = not held)'],
  editions: ['state', 'Editions in the ledger'],
  editions_paused: [
    'cause',
    'Editions that wait for an operator: breaker (too many bounces or complaints), other',
  ],
  held: [null, '1 while nothing is submitted because the database was restored or copied'],
  deliveries: ['state', 'Deliveries of all editions'],
  last_edition_deliveries: ['state', 'Deliveries of the newest edition'],
  last_edition_age_seconds: [null, 'How long ago the slot of the newest edition was'],
  late_seconds: [
    null,
    'For how long the current slot has been due without being through; 0 when it is through',
  ],
  next_slot_timestamp_seconds: [null, 'When the next edition is due'],
  batches_owed: [null, 'Batches that are planned or being submitted'],
  notices_owed: [null, 'Mails outside the editions (confirmations) that are planned or being submitted'],
  suppressions: ['reason', 'Addresses that are never mailed again'],
  last_report_age_seconds: [null, 'How long ago the provider last reported anything by webhook'],
  rate_limit_per_second: [null, 'Requests per second that all workers together allow themselves'],
  workers: [null, 'Processes that work on the queue'],
  batch_jobs: ['state', 'Wake-ups for batches and notices in Redis'],
  edition_jobs: ['state', 'Wake-ups for the sweep in Redis; delayed holds the schedulers'],
  disk_free_bytes: [null, 'Room on the disk that holds the database'],
  database_bytes: [null, 'Size of the database with its write-ahead log'],
} as const satisfies Record<string, [string | null, string]>

const LOOP_RESOLUTION_MS = 100

/** Makes the metrics of one process, in a registry of their own. */
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
      help: 'How long the provider took to answer a batch or notice: accepted, uncertain, rate-limited (429), stopped, conflict',
      labelNames: ['answer'],
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
    webhooks: new Counter({
      name: `${PREFIX}webhooks_total`,
      help: 'What the provider reported to this process; forged are those that were refused',
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
    else gauge.remove() // rather no sample than the zero of a reset, which says that all is well
  } else if (reading !== null && typeof reading === 'object') {
    for (const [value, count] of Object.entries(reading)) gauge.set({ [label]: value }, count)
  }
}

function addProcess(registry: Registry): void {
  registry.registerMetric(
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Memory of this process',
      registers: [],
      collect() {
        this.set(process.memoryUsage.rss())
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'process_cpu_seconds_total',
      help: 'Time that this process has computed',
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
      help: 'How late the event loop of this process came round since the last scrape',
      labelNames: ['quantile'],
      registers: [],
      collect() {
        const late = (ns: number) => Math.max(0, ns / 1e9 - LOOP_RESOLUTION_MS / 1000) || 0
        this.set({ quantile: '0.5' }, late(delay.percentile(50)))
        this.set({ quantile: '0.99' }, late(delay.percentile(99)))
        this.set({ quantile: '1' }, late(delay.max))
        delay.reset()
      },
    }),
  )
  return () => void delay.enable()
}
