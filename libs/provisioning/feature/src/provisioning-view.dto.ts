import type {
  AuthenticationType,
  Health,
  Phase,
  ProviderType,
  ProvisionedClientView,
  ProvisioningConfigurationView,
  ProvisioningErrorView,
  ProvisioningEventView,
  ProvisioningInfoView,
  ProvisioningStageView,
  ProvisioningStateView,
  TlsView,
} from '@agent-controller/contracts';
import { PHASES } from '@agent-controller/provisioning-workflow';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

const text = (example: string) => ({ type: String, nullable: true, example }) as const;
const health = { enum: ['healthy', 'unreachable', 'credentials-refused', 'lost'], nullable: true, example: 'healthy' };
const TIME = '2026-11-23T12:00:00.000Z';
const time = { format: 'date-time', example: TIME };

class TlsOfServerDto implements TlsView {
  @ApiProperty({ example: '-----BEGIN CERTIFICATE-----\n…' }) certificatePem!: string;
  @ApiProperty({ example: 'sA1n…=' }) spkiSha256!: string;
  @ApiProperty({ example: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff.agent.internal' }) serverName!: string;
}

class ProvisioningStateDto implements ProvisioningStateView {
  @ApiProperty({ enum: PHASES, example: 'installing' }) phase!: Phase;
  @ApiProperty({ example: 45 }) progress!: number;
  @ApiProperty({ example: 'The server runs; Docker and the containers are being installed' }) message!: string;
}

export class ProvisionedClientDto implements ProvisionedClientView {
  @ApiProperty({ format: 'uuid', example: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' }) id!: string;
  @ApiProperty({ example: 'api-key:deploy' }) owner!: string;
  @ApiProperty({ example: 'team-agent' }) name!: string;
  @ApiProperty(text('The agent of the web team')) description!: string | null;
  @ApiProperty(text('https://203.0.113.7:3000')) endpoint!: string | null;
  @ApiProperty({ example: 8080 }) agentWsPort!: number;
  @ApiProperty({ enum: ['api_key', 'keycloak'] }) authenticationType!: AuthenticationType;
  @ApiProperty({ example: true }) isAutoProvisioned!: boolean;
  @ApiProperty({ example: false }) protected!: boolean;
  @ApiProperty({ type: TlsOfServerDto, nullable: true }) tls!: TlsOfServerDto | null;
  @ApiProperty({ type: Object, nullable: true, example: null }) config!: ProvisionedClientView['config'];
  @ApiProperty(health) health!: Health | null;
  @ApiProperty({ ...text(TIME), format: 'date-time' }) healthSince!: string | null;
  @ApiProperty({ ...text(TIME), format: 'date-time' }) healthCheckedAt!: string | null;
  @ApiProperty(time) createdAt!: string;
  @ApiProperty(time) updatedAt!: string;
  @ApiProperty({ ...text('told once'), description: 'Told once, here.' }) apiKey!: string | null;
  @ApiProperty({ enum: ['hetzner', 'digital-ocean'] }) providerType!: ProviderType;
  @ApiProperty(text('4711')) serverId!: string | null;
  @ApiProperty(text('team-agent-6f9619ff-1')) serverName!: string | null;
  @ApiProperty(text('203.0.113.7')) publicIp!: string | null;
  @ApiProperty(text('10.0.0.2')) privateIp!: string | null;
  @ApiProperty(text('running')) serverStatus!: string | null;
  @ApiProperty({ type: ProvisioningStateDto }) provisioning!: ProvisioningStateDto;
}

class ProvisioningErrorDto implements ProvisioningErrorView {
  @ApiProperty({ example: 'provider-quota' }) code!: string;
  @ApiProperty({ example: 'server limit exceeded' }) message!: string;
  @ApiProperty({ example: "Raise the provider account's limit or remove servers there. Then retry, or delete." })
  action!: string;
  @ApiProperty({ enum: PHASES }) phase!: Phase;
  @ApiProperty(time) at!: string;
  @ApiPropertyOptional({ example: 'resource_limit_exceeded' }) providerCode?: string;
  @ApiPropertyOptional({ example: '5f3c…' }) requestId?: string;
}

class ProvisioningStageDto implements ProvisioningStageView {
  @ApiProperty({ example: 'postgres' }) name!: string;
  @ApiProperty(time) startedAt!: string;
  @ApiProperty({ ...time, type: String, nullable: true }) endedAt!: string | null;
}

export class ProvisioningInfoDto extends ProvisioningStateDto implements ProvisioningInfoView {
  @ApiProperty({ format: 'uuid' }) clientId!: string;
  @ApiProperty({ enum: ['hetzner', 'digital-ocean'] }) providerType!: ProviderType;
  @ApiProperty(text('4711')) serverId!: string | null;
  @ApiProperty(text('team-agent-6f9619ff-1')) serverName!: string | null;
  @ApiProperty({ example: 'cx23' }) serverType!: string;
  @ApiProperty({ example: 'fsn1' }) location!: string;
  @ApiProperty({ example: 'debian-13' }) image!: string;
  @ApiProperty(text('203.0.113.7')) publicIp!: string | null;
  @ApiProperty(text('10.0.0.2')) privateIp!: string | null;
  @ApiProperty(text('running')) serverStatus!: string | null;
  @ApiProperty({ type: Number, nullable: true, example: 4 }) serverStatusAgeSeconds!: number | null;
  @ApiProperty({ enum: ['present', 'absent'] }) intent!: 'present' | 'absent';
  @ApiProperty({ example: 1 }) attempt!: number;
  @ApiProperty({ type: Object, example: { booting: '2026-11-23T12:00:01.000Z' } })
  phaseTimes!: Partial<Record<Phase, string>>;
  @ApiProperty({ type: ProvisioningErrorDto, nullable: true }) lastError!: ProvisioningErrorDto | null;
  @ApiProperty({ type: [ProvisioningStageDto], nullable: true }) stages!: ProvisioningStageDto[] | null;
  @ApiProperty({ example: ['credentials-unverified'] }) warnings!: string[];
  @ApiProperty({
    ...text('agent-controller-firewall-9f86d081884c7d659a2feaa0-6f9619ff-8b86-4d01-b42d-00cf4fc964ff'),
    description: "Name of the provider's firewall before the server; null while none was ordered with it.",
  })
  firewall!: string | null;
  @ApiProperty(text('https://203.0.113.7:3000')) endpoint!: string | null;
  @ApiProperty({ type: TlsOfServerDto, nullable: true }) tls!: TlsOfServerDto | null;
  @ApiProperty(health) health!: Health | null;
  @ApiProperty({ ...text(TIME), format: 'date-time' }) healthSince!: string | null;
  @ApiProperty({ ...text(TIME), format: 'date-time' }) healthCheckedAt!: string | null;
  @ApiProperty({ type: Object, description: 'What was asked for, without secrets.' })
  configuration!: ProvisioningConfigurationView;
  @ApiProperty({ type: Number, nullable: true, example: 4.75 }) monthlyCost!: number | null;
  @ApiProperty(text('EUR')) currency!: string | null;
  @ApiProperty(time) createdAt!: string;
  @ApiProperty(time) updatedAt!: string;
}

export class ProvisioningEventDto implements ProvisioningEventView {
  @ApiProperty({ example: 3 }) seq!: number;
  @ApiProperty(time) at!: string;
  @ApiProperty({ enum: ['phase', 'stage', 'log', 'note', 'error', 'health', 'deleted'] })
  type!: ProvisioningEventView['type'];
  @ApiProperty({ enum: PHASES }) phase!: Phase;
  @ApiProperty({ example: 1 }) attempt!: number;
  @ApiProperty({ example: 'The server is ordered and boots' }) message!: string;
  @ApiProperty({ type: Object, nullable: true, example: { progress: 20 } }) data!: Record<string, unknown> | null;
}
