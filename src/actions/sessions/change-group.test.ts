import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { groups, topics } from '../../db/schema/sessions.ts'
import { findTopic } from '../../db/sessions/topics.ts'
import { addTopic, changeGroup, changeTopic, consequenceOfGroup } from './change-group.ts'

const GIVEN = { group: 'Steady Ground', topic: 'anxiety', kind: 'therapy' }

const groupOf = ({ db }: TestApp) =>
  db
    .select()
    .from(groups)
    .all()
    .find(({ title }) => title === GIVEN.group)
const editOf = (app: TestApp, given: Record<string, string>) => ({
  ...{ id: groupOf(app)?.id ?? 0, version: groupOf(app)?.version ?? 0 },
  given: { ...GIVEN, ...given },
})

test('a group changes wholly or not at all, and says to whom its sessions are new', async () => {
  const app = await testApp()
  aSession(app)
  aSession(app, { group: 'Other', topic: 'anxiety' })
  for (const [name, topic] of [
    ['ann', 'anxiety'],
    ['bob', 'depression'],
    ['cara', 'depression'],
  ] as const)
    aSubscriber(app, `${name}@sample.test`, { topics: [topic] })
  await planNow(app)
  await submitOwed(app)

  const texts = editOf(app, { summary: 'For all.', language: 'Spanish', place: 'Online', price: '$40' })
  expect(await consequenceOfGroup(app, texts)).toMatchObject({ matters: false })
  expect(await changeGroup(app, texts)).toEqual({ kind: 'changed' })
  expect(groupOf(app)).toMatchObject({
    summary: 'For all.',
    language: 'es',
    place: 'Online',
    price: '$40',
    url: null,
  })
  expect(await changeGroup(app, texts)).toEqual({ kind: 'meanwhile' })

  const moved = editOf(app, { topic: 'depression' })
  expect(await consequenceOfGroup(app, moved)).toMatchObject({
    matters: true,
    hearers: { again: 0, fresh: 2 },
  })
  expect(await consequenceOfGroup(app, editOf(app, { topic: 'anxiety' }))).toMatchObject({ matters: false })
  const wrong = editOf(app, { group: '', topic: 'x', language: 'Klingonish', group_url: 'ftp://x' })
  expect(await changeGroup(app, wrong)).toMatchObject({
    errors: ['group', 'topic', 'group_url', 'language'].map((field) => ({ field })),
  })
  expect(await changeGroup(app, editOf(app, { group: 'Other' }))).toMatchObject({
    errors: [{ field: 'group' }],
  })
  expect(await changeGroup(app, { ...texts, id: 99 })).toEqual({ kind: 'gone' })
  expect(app.db.select().from(auditLog).all()).toMatchObject([{ action: 'group changed' }])
})

test('a topic is added once, and of two who rename it the second changes nothing', async () => {
  const app = await testApp()
  expect(await addTopic(app, { name: 'Eating & food', name_es: 'Comida' })).toEqual({
    kind: 'added',
    slug: 'eating-food',
  })
  expect(await addTopic(app, { name: 'Food', slug: 'eating-food' })).toMatchObject({
    errors: [{ field: 'slug' }],
  })
  expect(await addTopic(app, { name: '', slug: 'A B' })).toMatchObject({ errors: [{ field: 'name' }] })
  const was = await findTopic(app.store, 'eating-food')
  if (was === null) throw new Error('no topic')
  const given = { slug: 'eating-food', name: 'Food', name_es: '', name_pt: 'Comida' }
  expect(await changeTopic(app, given, was)).toEqual({ kind: 'changed' })
  expect(await changeTopic(app, { ...given, name: 'Meals' }, was)).toEqual({ kind: 'meanwhile' })
  expect(await changeTopic(app, { ...given, name: '' }, was)).toMatchObject({ errors: [{ field: 'name' }] })
  expect(
    app.db
      .select()
      .from(topics)
      .all()
      .find(({ slug }) => slug === 'eating-food'),
  ).toMatchObject({
    name: 'Food',
    names: '{"pt":"Comida"}',
  })
})
