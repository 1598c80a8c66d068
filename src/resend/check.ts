/** One checked thing. `fix` says what to do; there is none if all is well. */
export type Check = { name: string; status: 'ok' | 'warn' | 'fail'; detail: string; fix?: string }
