import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { App } from '../src/app.ts'
import type { Role } from '../src/core/operators/actor.ts'
import { hashOf, newToken } from '../src/core/operators/token.ts'
import { startSignIn } from '../src/db/operators/sign-ins.ts'
import { operators } from '../src/db/schema/operators.ts'
import { cookieName } from '../src/http/operator/guard.ts'
import { buildOperatorServer } from '../src/http/operator/server.ts'
import type { TestApp } from './app.ts'

/** A browser that is signed in: its cookie, and whose it is. */
export type Who = { cookie: string; operatorId: number }

/** The operators' server of a test app, for `inject`. */
export const operatorServer = (app: App): Promise<FastifyInstance> => buildOperatorServer(app)

/** Signs in a new operator of this role, who has just proved who they are. */
export async function signedIn(app: TestApp, role: Role): Promise<Who> {
  const row = {
    email: `${role}-${randomBytes(4).toString('hex')}@sample.test`,
    role,
    createdAt: app.now().getTime(),
    passwordHash: 'chosen',
  }
  const operator = app.db.insert(operators).values(row).returning({ id: operators.id }).get()
  const token = newToken()
  const signIn = {
    operatorId: operator.id,
    tokenHash: hashOf(token),
    network: '127.0.0',
    device: 'a test',
    how: 'test',
  }
  await startSignIn(app.store, signIn, app.now())
  return { cookie: `${cookieName(app.config.operatorOrigin)}=${token}`, operatorId: operator.id }
}

/** What a browser of `who` gets at `url`; null is a browser that is not signed in. */
export function getAs(server: FastifyInstance, who: Who | null, url: string) {
  return server.inject({ method: 'GET', url, headers: headersOf(who) })
}

/** What a browser of `who` gets for a form of ours; a list is several fields of one name. */
export function postAs(
  server: FastifyInstance,
  who: Who | null,
  url: string,
  form: Record<string, string | string[]> = {},
) {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(form)) for (const one of [value].flat()) body.append(name, one)
  return server.inject({
    method: 'POST',
    url,
    headers: {
      ...headersOf(who),
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    },
    payload: body.toString(),
  })
}

const headersOf = (who: Who | null) => ({ host: '127.0.0.1:3001', ...(who && { cookie: who.cookie }) })
