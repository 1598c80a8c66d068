import cliProgress from 'cli-progress'
import type { Summary } from '../actions/editions/show.ts'
import { counted, number } from './layout.ts'

/** Shows the progress of an edition to a person. */
export type Progress = { show(summary: Summary): void; end(summary: Summary): void }

type Output = Pick<NodeJS.WriteStream, 'write'>

const LINE_EVERY_MS = 2_000
const STILL_EVERY_MS = 30_000

/** A progress bar for a terminal. */
export function progressBar(stream: NodeJS.WriteStream): Progress {
  const format = '{edition}  {bar}  {percentage} %  {status}'
  const bar = new cliProgress.SingleBar({
    stream,
    format,
    hideCursor: true,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
  })
  const pace = paceFrom(performance.now())
  let started = false
  const draw = (summary: Summary) => {
    const { done, total } = share(summary)
    const payload = { edition: summary.id, status: statusText(summary, pace(summary)) }
    if (!started) bar.start(Math.max(total, 1), done, payload)
    started = true
    bar.setTotal(Math.max(total, 1))
    bar.update(total === 0 ? 1 : done, payload)
  }
  return {
    show: draw,
    end(summary) {
      draw(summary)
      bar.stop()
    },
  }
}

/** A line every two seconds, or sooner at each tenth, for a pipe or a log. */
export function progressLines(output: Output): Progress {
  const pace = paceFrom(performance.now())
  let last = { at: Number.NEGATIVE_INFINITY, tenth: -1, text: '' }
  const show = (summary: Summary) => {
    const { done, total } = share(summary)
    const [at, tenth] = [performance.now(), Math.floor((10 * done) / Math.max(total, 1))]
    if (tenth === last.tenth && at - last.at < LINE_EVERY_MS) return
    const text = `${number(done)} of ${number(total)}`
    // While all batches wait for a retry, repeating the line every two seconds would only add noise.
    if (text === last.text && at - last.at < STILL_EVERY_MS) return
    last = { at, tenth, text }
    output.write(
      `${summary.id}: ${Math.floor((100 * done) / Math.max(total, 1))} %, ${statusText(summary, pace(summary))}\n`,
    )
  }
  return { show, end: show }
}

type Pace = { perSecond: number; secondsLeft: number | null }

/** Measures the pace since `startedAt`, without what was already done then. */
function paceFrom(startedAt: number): (summary: Summary) => Pace {
  let first: number | null = null
  return (summary) => {
    const { done, total } = share(summary)
    first ??= done
    const perSecond = (done - first) / Math.max((performance.now() - startedAt) / 1000, 0.001)
    return { perSecond, secondsLeft: perSecond > 0 && done < total ? (total - done) / perSecond : null }
  }
}

function share({ submitted, failed, unknown, waiting }: Summary): { done: number; total: number } {
  const done = submitted + failed + unknown
  return { done, total: done + waiting }
}

function statusText(summary: Summary, { perSecond, secondsLeft }: Pace): string {
  const { done, total } = share(summary)
  if (summary.state === 'planning') return `planning, ${counted(total, 'recipient')} so far`
  return [
    `${number(summary.submitted)} of ${number(total)} submitted`,
    ...(summary.failed > 0 ? [`${number(summary.failed)} failed`] : []),
    ...(summary.unknown > 0 ? [`${number(summary.unknown)} unknown`] : []),
    ...(perSecond >= 1 ? [`${number(Math.round(perSecond))}/s`] : []),
    ...(isBehindWave(summary)
      ? [`waiting for reports of the first ${number(summary.firstWave?.submitted ?? 0)}`]
      : []),
    ...(secondsLeft === null ? [] : [`${duration(secondsLeft)} left`]),
    ...(summary.retrying && done < total ? [`retrying: ${summary.retrying.reason}`] : []),
  ].join(', ')
}

const isBehindWave = ({ firstWave }: Summary): boolean =>
  firstWave !== undefined && firstWave.passedAt === null && firstWave.until !== null

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
