import type { ProvisioningPreviewView } from '@agent-controller/contracts';
import { PreviewService } from '@agent-controller/provisioning-workflow';
import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from './http.types';
import { ProvisionServerDto } from './provision-server.dto';
import { toProvisionRequest } from './provision-request.mapper';
import { ProvisioningPreviewDto } from './provisioning-view.dto';

@ApiTags('provisioning')
@ApiBearerAuth()
@Controller('clients/provisioning')
export class PreviewController {
  constructor(private readonly previews: PreviewService) {}

  @Post('preview')
  @HttpCode(200)
  @ApiOperation({ summary: 'What a provision request would make; nothing is created, secrets are masked' })
  @ApiOkResponse({ type: ProvisioningPreviewDto })
  preview(@Body() body: ProvisionServerDto, @Req() { caller }: Request): Promise<ProvisioningPreviewView> {
    return this.previews.preview(toProvisionRequest(body), caller);
  }
}
