import type { App } from '../../app.ts'
import { countShown } from '../../db/ledger/candidates.ts'
import { judgeResend, refusalOf } from './resend.ts'

/** What a correction would come to; with `more`, more people than `recipients` get it. */
export type JudgedCorrection = { refused: string | null; recipients: number; more: boolean }

const COUNTED = 1_000

/** For whom a correction of a session is. Of a large list it reads only as much as to know that it is large. Writes nothing. */
export async function judgeCorrection(
  app: Pick<App, 'config' | 'store' | 'hashKey' | 'now'>,
  shown: { editionId: string; sessionId: number },
): Promise<JudgedCorrection> {
  const request = { kind: 'correct' as const, sessionId: shown.sessionId }
  if ((await countShown(app.store, shown, COUNTED + 1)) > COUNTED)
    return { refused: await refusalOf(app, shown.editionId, request), recipients: COUNTED, more: true }
  const judged = await judgeResend(app, shown.editionId, request)
  const recipients = judged.kind === 'ready' ? judged.recipients : 0
  return { refused: judged.kind === 'refused' ? judged.reason : null, recipients, more: false }
}
