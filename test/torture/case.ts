import type { Failpoint } from '../../src/failpoint.ts'
import type { Context } from './scenario.ts'

export type Case = { context: Context; name: Failpoint; workers: 1 | 2; title: string }
