export { AccessFeatureModule } from './access-feature.module';
