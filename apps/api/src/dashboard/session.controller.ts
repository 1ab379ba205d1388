import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Session } from '#contracts';

/** What the dashboard asks first: whether it needs a key. This version asks nobody for one. */
@ApiExcludeController()
@Controller('dashboard/session')
export class SessionController {
  @Get()
  session(): Session {
    return { access_control: false, signed_in: false, key_name: null, csrf_token: null };
  }
}
