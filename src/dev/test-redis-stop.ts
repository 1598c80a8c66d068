export { teardown as default } from './test-redis.ts'
