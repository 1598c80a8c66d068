import type { FastifyInstance } from 'fastify'
import type { App } from '../../../app.ts'
import { addSessionCancel } from './cancel.ts'
import { addSessionEdit } from './edit.ts'
import { addGroup } from './group.ts'
import { addGroups } from './groups.ts'
import { addSessionList } from './list.ts'
import { addNewSession } from './new.ts'
import { addSeatButtons } from './seats.ts'
import { addTopics } from './topics.ts'

/** Adds what is on offer: sessions, groups and topics. */
export function addSessionRoutes(server: FastifyInstance, app: App): void {
  addSessionList(server, app)
  addNewSession(server, app)
  addSessionEdit(server, app)
  addSessionCancel(server, app)
  addSeatButtons(server, app)
  addGroups(server, app)
  addGroup(server, app)
  addTopics(server, app)
}
