import { setTimeout as pause } from 'node:timers/promises'
import {
  addOperator,
  awaitThrough,
  closeInstallation,
  type Installation,
  makeInstallation,
  QUICKER,
  rowFor,
  runProgram,
  startWorker,
  stopPrograms,
} from './installation.ts'
import { type Program, until } from './programs.ts'
import { type Random, randomFrom } from './random.ts'
import type { Context, Row, Scenario } from './scenario.ts'

const RECIPIENTS = 250
const WORKERS = 2

export const scenarios: Scenario[] = [
  {
    name: 'killed in each waiting state',
    group: 'waiting',
    quick: true,
    onPostgres: true,
    run: async (context) => [await throughEachState(context)],
  },
]

/**
 * Two workers are killed again and again while an edition is reviewed, waits, is held, and is approved. It must not go out before, and
 * then once; the operator hears of it once, and not again for each restart.
 */
async function throughEachState(context: Context): Promise<Row> {
  const installation = await makeInstallation(context, {
    subscribers: RECIPIENTS,
    settings: { APPROVAL: 'always' },
  })
  const random = randomFrom(context.seed)
  const problems: string[] = []
  try {
    addOperator(installation)
    const { editionId } = installation
    const steps = [
      { say: 'was reviewed', command: null },
      { say: 'waited', command: null },
      { say: 'was held', command: 'hold' },
    ]
    let kills = 0
    for (const { say, command } of steps) {
      context.say(say)
      if (command) await runProgram(installation, ['edition', command, editionId])
      kills += await killWorkers(installation, random)
      if (went(installation) > 0) problems.push(`it went out while it ${say}`)
    }
    await heard(installation)
    await runProgram(installation, ['edition', 'approve', editionId])
    kills += await killWorkers(installation, random)
    for (let n = 0; n < WORKERS; n += 1) startWorker(installation, { waits: QUICKER })
    if (!(await awaitThrough(installation))) problems.push('the edition was not through in time')
    await stopPrograms(installation)
    return await rowFor(installation, 'killed in each waiting state', { kills, problems })
  } finally {
    await closeInstallation(installation)
  }
}

/** Starts workers, and kills each after a random while; returns how many died. */
async function killWorkers(installation: Installation, random: Random): Promise<number> {
  const live = async (): Promise<Program> => {
    const worker = startWorker(installation, { waits: QUICKER })
    await pause(random.between(600, 1_800))
    await worker.kill()
    return worker
  }
  return (await Promise.all(Array.from({ length: WORKERS }, live))).length
}

const went = ({ ledger }: Installation): number =>
  Number(ledger.prepare('select count(*) from editions').pluck().get())

/** Waits until the operator was told; a killed worker may have left that to the next. */
async function heard(installation: Installation): Promise<void> {
  const told = () =>
    Number(
      installation.ledger
        .prepare("select count(*) from notices where kind = 'review' and state = 'submitted'")
        .pluck()
        .get(),
    )
  const worker = startWorker(installation, { waits: QUICKER })
  await until(() => told() === 1, 'the operator has heard of it', 60_000)
  await worker.kill()
}
