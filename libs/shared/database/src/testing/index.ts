export { createTestDatabase, type TestDatabase } from './test-database';
export { getSealed, insertSealed, MANY, setSealed } from './sealed-rows';
