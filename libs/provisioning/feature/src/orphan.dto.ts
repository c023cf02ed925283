import type {
  AdoptServerBody,
  OrphanReportView,
  OrphanView,
  SweepPauseView,
  SweepView,
} from '@agent-controller/contracts';
import { IsAbsentOr, IsClientName, IsHeaderToken, IsText, IsWebSocketPort } from '@agent-controller/validation';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Matches } from 'class-validator';

const text = (example: string) => ({ type: String, nullable: true, example }) as const;
const TIME = '2026-11-23T12:00:00.000Z';
const time = { format: 'date-time', example: TIME };
const PROVIDERS = ['hetzner', 'digital-ocean'];

export class AdoptServerDto implements AdoptServerBody {
  @ApiPropertyOptional({ example: 'team-agent', description: "A hostname label; the server's own name when absent." })
  @IsAbsentOr()
  @IsClientName()
  name?: string;

  @ApiPropertyOptional({ example: 'Found after the backup of Monday was restored' })
  @IsAbsentOr()
  @IsText()
  description?: string;

  @ApiPropertyOptional({ example: 'a-long-random-key', description: "The agent-manager's own API key." })
  @IsAbsentOr()
  @IsHeaderToken()
  apiKey?: string;

  @ApiPropertyOptional({
    example: 'sA1nQ0Yk1m9m1o0t3vQ2m7mJ8Ykq5sX0b1l9e2r3t4U=',
    description: "SHA-256 of the server's public key, base64; with apiKey, the agent-manager is looked at.",
  })
  @IsAbsentOr()
  @Matches(/^[A-Za-z0-9+/]{43}=$/, { message: 'must be a SHA-256 digest in base64: 43 characters and =' })
  spkiSha256?: string;

  @ApiPropertyOptional({ example: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n' })
  @IsAbsentOr()
  @IsText()
  certificatePem?: string;

  @ApiPropertyOptional({ default: 8080 })
  @IsAbsentOr()
  @IsWebSocketPort()
  agentWsPort?: number;
}

export class OrphanDto implements OrphanView {
  @ApiProperty({ enum: PROVIDERS }) providerType!: OrphanView['providerType'];
  @ApiProperty({ example: '4711' }) serverId!: string;
  @ApiProperty({ enum: ['unknown', 'surplus', 'abandoned'] }) kind!: OrphanView['kind'];
  @ApiProperty({ example: 'team-agent-6f9619ff-1' }) name!: string;
  @ApiProperty({ example: 'cx23' }) serverType!: string;
  @ApiProperty({ example: 'fsn1' }) location!: string;
  @ApiProperty({ example: 'running' }) status!: string;
  @ApiProperty(text('203.0.113.7')) publicIpv4!: string | null;
  @ApiProperty(text('2001:db8::1')) publicIpv6!: string | null;
  @ApiProperty(text('10.0.0.2')) privateIpv4!: string | null;
  @ApiProperty({ format: 'uuid', example: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' }) provisioningId!: string;
  @ApiProperty({ example: 1 }) attempt!: number;
  @ApiProperty(time) createdAt!: string;
  @ApiProperty({ example: 86_400 }) ageSeconds!: number;
  @ApiProperty(time) firstSeenAt!: string;
  @ApiProperty(time) lastSeenAt!: string;
  @ApiProperty({ type: Number, nullable: true, example: 4.75 }) monthlyCost!: number | null;
  @ApiProperty(text('EUR')) currency!: string | null;
  @ApiProperty({ ...text(TIME), format: 'date-time' }) destroyAfter!: string | null;
}

class SweepPauseDto implements SweepPauseView {
  @ApiProperty({ enum: ['database-changed', 'restored-backup', 'instance-changed'] }) reason!: SweepPauseView['reason'];
  @ApiProperty({ example: 'The server a-6f9619ff-1 (4711) is newer than what this database knows.' }) message!: string;
  @ApiProperty(time) since!: string;
}

export class SweepDto implements SweepView {
  @ApiProperty({ enum: PROVIDERS }) providerType!: SweepView['providerType'];
  @ApiProperty({ ...text(TIME), format: 'date-time' }) lastStartedAt!: string | null;
  @ApiProperty({ ...text(TIME), format: 'date-time' }) lastCompletedAt!: string | null;
  @ApiProperty({ type: Number, nullable: true, example: 12 }) servers!: number | null;
  @ApiProperty(text('Hetzner Cloud: GET /servers answered 503')) lastError!: string | null;
  @ApiProperty({ type: SweepPauseDto, nullable: true, example: null }) paused!: SweepPauseDto | null;
}

export class OrphanReportDto implements OrphanReportView {
  @ApiProperty({ enum: ['report', 'delete'], example: 'report' }) policy!: OrphanReportView['policy'];
  @ApiProperty({ type: [OrphanDto] }) servers!: OrphanDto[];
  @ApiProperty({ type: [SweepDto] }) sweeps!: SweepDto[];
}
