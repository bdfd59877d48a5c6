/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - what the platform knows of itself and puts in no variable.
 *
 * ECS sets AWS_REGION on Fargate, but not on instances, where only the task's
 * metadata tells it; without ECS the instance metadata service does.  Settings
 * are read without waiting, so it is asked for before that, once.
 */
#ifndef AGENT_COMMANDS_PLACE_H
#define AGENT_COMMANDS_PLACE_H

/* In a task or on an instance that was told no region: asks for up to two
 * seconds (on an instance as AWS_METADATA_SERVICE_* say), and sets AWS_REGION
 * of this process.  Failure is said on standard error. */
void place_learn(void);

#endif
