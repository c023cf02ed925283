import type { AuthenticationType, FallbackChoice, ProvisionServerBody } from '@agent-controller/contracts';
import {
  BelongsTo,
  IsAbsentOr,
  IsBaseUrl,
  IsCatalogueId,
  IsClientName,
  IsHeaderToken,
  IsImageReference,
  IsRealmName,
  IsText,
  IsWebSocketPort,
  NotTogetherWith,
} from '@agent-controller/validation';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, ValidateNested } from 'class-validator';
import { IsAllowedCidrs, MAX_ALLOWED_CIDRS } from './allowed-cidrs.decorator';
import { IsEnvironment } from './environment.decorator';
import { IsFallback, MAX_FALLBACK } from './fallback.decorator';
import { IsGitUrl } from './git-url.decorator';
import { IsSshKeys, MAX_SSH_KEYS } from './ssh-keys.decorator';

const AUTHENTICATION_TYPES: AuthenticationType[] = ['api_key', 'keycloak'];

export class FallbackDto implements FallbackChoice {
  @ApiProperty({ example: 'cx33' })
  @IsCatalogueId()
  @IsText(64)
  serverType!: string;

  @ApiProperty({ example: 'hel1' })
  @IsCatalogueId()
  @IsText(64)
  location!: string;
}

/** What to provision. Values may have 16 KB each; unknown fields are refused. */
export class ProvisionServerDto implements ProvisionServerBody {
  @ApiProperty({ example: 'hetzner', description: 'As `GET /api/clients/provisioning/providers` lists it.' })
  @IsCatalogueId()
  @IsText(64)
  providerType!: string;

  @ApiProperty({ example: 'cx23', description: "Id of one of the provider's server types." })
  @IsCatalogueId()
  @IsText(64)
  serverType!: string;

  @ApiPropertyOptional({ example: 'team-agent', description: 'A hostname label; generated when absent.' })
  @IsAbsentOr()
  @IsClientName()
  name?: string;

  @ApiPropertyOptional({ example: 'The agent of the web team' })
  @IsAbsentOr()
  @IsText()
  description?: string;

  @ApiPropertyOptional({ default: false, description: 'Refuses deletion until a PATCH of the client takes it back.' })
  @IsAbsentOr()
  @IsBoolean({ message: 'must be true or false' })
  protected?: boolean;

  @ApiPropertyOptional({ example: 'fsn1', description: 'The cheapest available one when absent.' })
  @IsAbsentOr()
  @IsCatalogueId()
  @IsText(64)
  location?: string;

  @ApiPropertyOptional({
    type: [FallbackDto],
    maxItems: MAX_FALLBACK,
    example: [{ serverType: 'cx33', location: 'hel1' }],
    description: 'What to order instead where there is no room, in this order.',
  })
  @IsAbsentOr()
  @IsFallback()
  @ValidateNested({ each: true, message: 'must have only objects' })
  @Type(() => FallbackDto)
  fallback?: FallbackDto[];

  @ApiPropertyOptional({
    example: 'debian-13',
    description: "Id of one of the provider's images; the controller's default when absent.",
  })
  @IsAbsentOr()
  @IsCatalogueId()
  @IsText(255)
  image?: string;

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_SSH_KEYS,
    example: ['laptop', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM ops'],
    description: "Who may log in as root: names of keys in the provider's project, and public keys (OpenSSH).",
  })
  @IsAbsentOr()
  @IsSshKeys()
  sshKeys?: string[];

  @ApiPropertyOptional({
    type: [String],
    minItems: 1,
    maxItems: MAX_ALLOWED_CIDRS,
    example: ['203.0.113.0/24', '2001:db8::/32'],
    description:
      'Networks that may connect to the server: to its API, its WebSocket port and, where sshKeys are given, SSH. ' +
      "Anywhere when absent. The controller's own address must be in one, or in its CONTROLLER_CIDRS.",
  })
  @IsAbsentOr()
  @IsAllowedCidrs()
  allowedCidrs?: string[];

  @ApiProperty({ enum: AUTHENTICATION_TYPES })
  @IsIn(AUTHENTICATION_TYPES, { message: `must be one of: ${AUTHENTICATION_TYPES.join(', ')}` })
  authenticationType!: AuthenticationType;

  @ApiPropertyOptional({ description: 'For api_key; generated when absent, and told once.' })
  @BelongsTo('api_key', { required: false })
  @IsHeaderToken()
  apiKey?: string;

  @ApiPropertyOptional({ description: 'Required for keycloak.', example: 'agent-manager' })
  @BelongsTo('keycloak', { required: true })
  @IsText(1024)
  keycloakClientId?: string;

  @ApiPropertyOptional({ description: 'Required for keycloak.' })
  @BelongsTo('keycloak', { required: true })
  @IsText()
  keycloakClientSecret?: string;

  @ApiPropertyOptional({ description: "For keycloak; the controller's KEYCLOAK_REALM when absent." })
  @BelongsTo('keycloak', { required: false })
  @IsRealmName()
  @IsText(255)
  keycloakRealm?: string;

  @ApiPropertyOptional({ description: "For keycloak; the controller's KEYCLOAK_AUTH_SERVER_URL when absent." })
  @BelongsTo('keycloak', { required: false })
  @IsBaseUrl()
  keycloakAuthServerUrl?: string;

  @ApiPropertyOptional({ default: 8080, description: 'Port of Socket.IO on the server; not 22, not 3000.' })
  @IsAbsentOr()
  @IsWebSocketPort()
  agentWsPort?: number;

  @ApiPropertyOptional({ example: 'https://git.example.com/team/project.git' })
  @IsAbsentOr()
  @IsGitUrl()
  @IsText(2048)
  gitRepositoryUrl?: string;

  @ApiPropertyOptional({ example: 'robot' })
  @IsAbsentOr()
  @IsText(1024)
  gitUsername?: string;

  @ApiPropertyOptional({ description: 'Token or password, not both.' })
  @IsAbsentOr()
  @IsText()
  gitToken?: string;

  @ApiPropertyOptional()
  @IsAbsentOr()
  @NotTogetherWith('gitToken')
  @IsText()
  gitPassword?: string;

  @ApiPropertyOptional({ description: 'PEM, with its newlines.' })
  @IsAbsentOr()
  @IsText()
  gitPrivateKey?: string;

  @ApiPropertyOptional()
  @IsAbsentOr()
  @IsText()
  cursorApiKey?: string;

  @ApiPropertyOptional({ default: 'ghcr.io/forepath/agenstra-manager-worker:latest' })
  @IsAbsentOr()
  @IsImageReference()
  @IsText(512)
  agentDefaultImage?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Further variables of the agent-manager, none that is set from the fields above.',
    example: { GIT_COMMIT_AUTHOR_NAME: 'Agent' },
  })
  @IsAbsentOr()
  @IsEnvironment()
  environment?: Record<string, string>;
}
