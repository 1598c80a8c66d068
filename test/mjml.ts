import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { compileMjml } from '../src/templates/mjml.ts'
import type { Compiled } from '../src/templates/mjml-process.ts'

/** Starts a process that has MJML loaded, for all files of a test run: loading it takes a second. */
export async function startMjml(folder: string): Promise<ChildProcess> {
  const socket = join(folder, 'mjml.sock')
  const child = fork(join(import.meta.dirname, 'mjml-service.ts'), [socket], { stdio: 'inherit' })
  await once(child, 'message')
  process.env.OPENSEAT_TEST_MJML = socket
  return child
}

/** Compiles as `compileMjml` does, in the process of the test run if there is one. */
export async function compileInTest(sources: readonly string[]): Promise<Compiled[]> {
  const socketPath = process.env.OPENSEAT_TEST_MJML
  if (socketPath === undefined) return compileMjml(sources)
  const sent = request({ socketPath, method: 'POST' })
  sent.end(JSON.stringify(sources))
  const [answer] = await once(sent, 'response')
  return (await json(answer)) as Compiled[]
}
