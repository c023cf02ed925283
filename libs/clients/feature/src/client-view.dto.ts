import type { AuthenticationType, ClientView, Health, TlsView } from '@agent-controller/contracts';
import { ApiProperty } from '@nestjs/swagger';

export class TlsDto implements TlsView {
  @ApiProperty({ example: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n' })
  certificatePem!: string;

  @ApiProperty({ description: "SHA-256 of the server's public key, base64.", example: 'sA1n…=' })
  spkiSha256!: string;

  @ApiProperty({ example: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff.agent.internal' })
  serverName!: string;
}

class AgentConfigDto {
  @ApiProperty({ type: String, nullable: true, example: 'https://git.example.com/team/project.git' })
  gitRepositoryUrl!: string | null;

  @ApiProperty({ example: ['cursor'] })
  agentTypes!: string[];
}

export class ClientViewDto implements ClientView {
  @ApiProperty({ format: 'uuid', example: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' })
  id!: string;

  @ApiProperty({ example: 'api-key:deploy', description: 'Subject of the caller who made it.' })
  owner!: string;

  @ApiProperty({ example: 'team-agent' })
  name!: string;

  @ApiProperty({ type: String, nullable: true, example: 'The agent of the web team' })
  description!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'https://203.0.113.7:3000' })
  endpoint!: string | null;

  @ApiProperty({ example: 8080 })
  agentWsPort!: number;

  @ApiProperty({ enum: ['api_key', 'keycloak'] })
  authenticationType!: AuthenticationType;

  @ApiProperty({ example: true })
  isAutoProvisioned!: boolean;

  @ApiProperty({ example: false, description: 'Whether deletion is refused.' })
  protected!: boolean;

  @ApiProperty({ type: TlsDto, nullable: true })
  tls!: TlsDto | null;

  @ApiProperty({ type: AgentConfigDto, nullable: true })
  config!: AgentConfigDto | null;

  @ApiProperty({
    enum: ['healthy', 'unreachable', 'credentials-refused', 'lost'],
    nullable: true,
    description: 'Of provisioned agent-managers that are ready; null of all others.',
  })
  health!: Health | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-11-23T12:00:00.000Z' })
  healthSince!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-11-23T12:05:00.000Z' })
  healthCheckedAt!: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T12:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-23T12:00:00.000Z' })
  updatedAt!: string;
}
