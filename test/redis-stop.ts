export { teardown as default } from './redis.ts'
