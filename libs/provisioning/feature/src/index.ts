export { ProvisioningFeatureModule } from './provisioning-feature.module';
