import { Roles } from '@agent-controller/access';
import type { ProvisioningPreviewView } from '@agent-controller/contracts';
import { PreviewService } from '@agent-controller/provisioning-workflow';
import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from './http.types';
import { ProvisionServerDto } from './provision-server.dto';
import { toProvisionRequest } from './provision-request.mapper';
import { toPreview } from './preview.mapper';
import { ProvisioningPreviewDto } from './preview-view.dto';

@ApiTags('provisioning')
@ApiBearerAuth()
@Roles('operator', { changes: false })
@Controller('clients/provisioning')
export class PreviewController {
  constructor(private readonly previews: PreviewService) {}

  @Post('preview')
  @HttpCode(200)
  @ApiOperation({
    summary: 'What a provision request would make, and all that it would be refused for; nothing is created',
  })
  @ApiOkResponse({ type: ProvisioningPreviewDto })
  async preview(@Body() body: ProvisionServerDto, @Req() { caller }: Request): Promise<ProvisioningPreviewView> {
    return toPreview(await this.previews.preview(toProvisionRequest(body), caller));
  }
}
