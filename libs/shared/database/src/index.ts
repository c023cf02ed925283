export { dataSourceOptions, type DatabaseOptions } from './data-source.options';
export { migrations } from './migrations';
