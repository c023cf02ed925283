import type {
  InboundRuleView,
  PreviewChoiceView,
  ProviderType,
  ProvisioningPreviewProblemView,
  ProvisioningPreviewView,
} from '@agent-controller/contracts';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

const text = (example: string) => ({ type: String, nullable: true, example }) as const;
const number = (example: number) => ({ type: Number, nullable: true, example }) as const;

class ProvisioningPreviewProblemDto implements ProvisioningPreviewProblemView {
  @ApiProperty(text('location')) field!: string | null;
  @ApiProperty({ example: 'location-unavailable' }) code!: string;
  @ApiProperty({ example: "'cx23' cannot be ordered at 'fsn1' at present. Use one of: nbg1, hel1." }) message!: string;
  @ApiPropertyOptional({ type: [String], example: ['nbg1', 'hel1'] }) alternatives?: string[];
}

class PreviewChoiceDto implements PreviewChoiceView {
  @ApiProperty(text('cx33')) serverType!: string | null;
  @ApiProperty(text('hel1')) location!: string | null;
  @ApiProperty(number(6.53)) monthlyCost!: number | null;
  @ApiProperty(text('EUR')) currency!: string | null;
}

class InboundRuleDto implements InboundRuleView {
  @ApiProperty({ example: 3000 }) port!: number;
  @ApiProperty({ type: [String], example: ['203.0.113.0/24'] }) sources!: string[];
}

/** What cannot be said is null; then `problems` says why. */
export class ProvisioningPreviewDto implements ProvisioningPreviewView {
  @ApiProperty(text('team-agent')) name!: string | null;
  @ApiProperty({ enum: ['hetzner', 'digital-ocean'], nullable: true }) providerType!: ProviderType | null;
  @ApiProperty(text('cx23')) serverType!: string | null;
  @ApiProperty(text('nbg1')) location!: string | null;
  @ApiProperty(text('debian-13')) image!: string | null;
  @ApiProperty({ type: Boolean, nullable: true, example: true }) imageProven!: boolean | null;
  @ApiProperty({ type: [String], example: ['laptop'] }) sshKeys!: string[];
  @ApiProperty({ type: [InboundRuleDto], nullable: true, description: 'What the firewall lets in, by TCP.' })
  inbound!: InboundRuleDto[] | null;
  @ApiProperty({ type: [PreviewChoiceDto] }) fallback!: PreviewChoiceDto[];
  @ApiProperty(number(4.15)) monthlyCost!: number | null;
  @ApiProperty(text('EUR')) currency!: string | null;
  @ApiProperty(text('#cloud-config\n…')) userData!: string | null;
  @ApiProperty(number(9120)) userDataBytes!: number | null;
  @ApiProperty(number(32768)) maxUserDataBytes!: number | null;
  @ApiProperty({ type: [ProvisioningPreviewProblemDto] }) problems!: ProvisioningPreviewProblemDto[];
}
