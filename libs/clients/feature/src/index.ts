export { ClientsFeatureModule } from './clients-feature.module';
