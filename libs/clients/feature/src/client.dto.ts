import type { AuthenticationType, CreateClientBody, UpdateClientBody } from '@agent-controller/contracts';
import {
  BelongsTo,
  IsAbsentOr,
  IsBaseUrl,
  IsClientName,
  IsHeaderToken,
  IsRealmName,
  IsText,
  IsWebSocketPort,
} from '@agent-controller/validation';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';

const AUTHENTICATION_TYPES: AuthenticationType[] = ['api_key', 'keycloak'];

/** How callers prove themselves to an agent-manager that runs already. */
class CredentialsDto {
  @ApiPropertyOptional({ description: 'Required for api_key.', example: 'a-long-random-key' })
  @BelongsTo('api_key', { required: true })
  @IsHeaderToken()
  apiKey?: string;

  @ApiPropertyOptional({ description: 'Required for keycloak, as are the three below.', example: 'agent-manager' })
  @BelongsTo('keycloak', { required: true })
  @IsText(1024)
  keycloakClientId?: string;

  @ApiPropertyOptional({ example: 'client-secret' })
  @BelongsTo('keycloak', { required: true })
  @IsText()
  keycloakClientSecret?: string;

  @ApiPropertyOptional({ example: 'agents' })
  @BelongsTo('keycloak', { required: true })
  @IsRealmName()
  @IsText(255)
  keycloakRealm?: string;

  @ApiPropertyOptional({ example: 'https://login.example.com' })
  @BelongsTo('keycloak', { required: true })
  @IsBaseUrl()
  keycloakAuthServerUrl?: string;
}

export class CreateClientDto extends CredentialsDto implements CreateClientBody {
  @ApiProperty({ description: 'A hostname label, unique among your clients.', example: 'team-agent' })
  @IsClientName()
  name!: string;

  @ApiPropertyOptional({ example: 'The agent of the web team' })
  @IsAbsentOr()
  @IsText()
  description?: string;

  @ApiProperty({ description: "Base URL of the agent-manager's REST API.", example: 'https://agent.example.com' })
  @IsBaseUrl()
  endpoint!: string;

  @ApiPropertyOptional({ default: 8080 })
  @IsAbsentOr()
  @IsWebSocketPort()
  agentWsPort?: number;

  @ApiProperty({ enum: AUTHENTICATION_TYPES })
  @IsIn(AUTHENTICATION_TYPES, { message: `must be one of: ${AUTHENTICATION_TYPES.join(', ')}` })
  authenticationType!: AuthenticationType;

  @ApiPropertyOptional({ default: false, description: 'Refuses deletion until it is false again.' })
  @IsAbsentOr()
  @IsBoolean({ message: 'must be true or false' })
  protected?: boolean;
}

export class UpdateClientDto extends CredentialsDto implements UpdateClientBody {
  @ApiPropertyOptional({ example: 'team-agent' })
  @IsAbsentOr()
  @IsClientName()
  name?: string;

  @ApiPropertyOptional({ example: 'The agent of the web team' })
  @IsAbsentOr()
  @IsText()
  description?: string;

  @ApiPropertyOptional({ example: 'https://agent.example.com' })
  @IsAbsentOr()
  @IsBaseUrl()
  endpoint?: string;

  @ApiPropertyOptional({ example: 8080 })
  @IsAbsentOr()
  @IsWebSocketPort()
  agentWsPort?: number;

  @ApiPropertyOptional({ enum: AUTHENTICATION_TYPES, description: 'To be given with new credentials.' })
  @IsAbsentOr()
  @IsIn(AUTHENTICATION_TYPES, { message: `must be one of: ${AUTHENTICATION_TYPES.join(', ')}` })
  authenticationType?: AuthenticationType;

  @ApiPropertyOptional({ description: 'Refuses deletion until it is false again.' })
  @IsAbsentOr()
  @IsBoolean({ message: 'must be true or false' })
  protected?: boolean;
}

export class ClientPageDto {
  @ApiPropertyOptional({ default: 50, minimum: 1, maximum: 200 })
  @IsAbsentOr()
  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(200, { message: 'must be at most 200' })
  limit?: number;

  @ApiPropertyOptional({ description: 'From the Link header of the page before.' })
  @IsAbsentOr()
  @IsText(256)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Only what this subject owns; others than admins see no more than their own.' })
  @IsAbsentOr()
  @IsText(1024)
  owner?: string;
}
