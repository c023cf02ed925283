export { CatalogueAnswers } from './catalogue-answers.service';
export { PreparedAnswer } from './prepared-answer';
export { ProvisioningFeatureModule } from './provisioning-feature.module';
