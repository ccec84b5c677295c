CREATE TABLE scrmkit_organisation (
    tenant VARCHAR(32) NOT NULL,
    type VARCHAR(16) NOT NULL,
    id VARCHAR(64) NOT NULL,
    data TEXT NOT NULL,
    CONSTRAINT scrmkit_organisation_pk PRIMARY KEY (tenant, type, id)
);

CREATE TABLE scrmkit_campaign (
    tenant VARCHAR(32) NOT NULL,
    id VARCHAR(64) NOT NULL,
    version INTEGER NOT NULL,
    mechanic VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    rules TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    brand VARCHAR(64),
    shop VARCHAR(64),
    CONSTRAINT scrmkit_campaign_pk PRIMARY KEY (tenant, id, version)
);

CREATE TABLE scrmkit_customer (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    person BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT scrmkit_customer_pk PRIMARY KEY (id)
);

CREATE INDEX scrmkit_customer_tenant_person_ix ON scrmkit_customer (tenant, person);

CREATE TABLE scrmkit_identity (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    scope VARCHAR(128) NOT NULL,
    value VARCHAR(256) NOT NULL,
    customer BIGINT NOT NULL,
    person BIGINT NOT NULL,
    linked_at BIGINT NOT NULL,
    CONSTRAINT scrmkit_identity_pk PRIMARY KEY (id),
    CONSTRAINT scrmkit_identity_tenant_kind_scope_value_uq UNIQUE (tenant, kind, scope, value)
);

CREATE INDEX scrmkit_identity_tenant_person_ix ON scrmkit_identity (tenant, person);

CREATE TABLE scrmkit_merge (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    kept BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    customers TEXT NOT NULL,
    at BIGINT NOT NULL,
    undone_at BIGINT,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT scrmkit_merge_pk PRIMARY KEY (id)
);

CREATE INDEX scrmkit_merge_tenant_kept_ix ON scrmkit_merge (tenant, kept);

CREATE TABLE scrmkit_touchpoint (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    key VARCHAR(200) NOT NULL,
    version SMALLINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    customer BIGINT,
    person BIGINT,
    amount_fen BIGINT NOT NULL,
    source VARCHAR(64) NOT NULL,
    brand VARCHAR(64),
    shop VARCHAR(64),
    context TEXT NOT NULL,
    payload TEXT NOT NULL,
    decisions TEXT NOT NULL,
    parent BIGINT,
    CONSTRAINT scrmkit_touchpoint_pk PRIMARY KEY (id),
    CONSTRAINT scrmkit_touchpoint_tenant_kind_key_uq UNIQUE (tenant, kind, key)
);

CREATE INDEX scrmkit_touchpoint_tenant_person_kind_occurred_at_ix ON scrmkit_touchpoint (tenant, person, kind, occurred_at);

CREATE TABLE scrmkit_personal (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT,
    data TEXT,
    CONSTRAINT scrmkit_personal_pk PRIMARY KEY (id)
);

CREATE TABLE scrmkit_tag (
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    grp VARCHAR(64) NOT NULL,
    name VARCHAR(64) NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_key VARCHAR(264) NOT NULL,
    present SMALLINT NOT NULL,
    source VARCHAR(16) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    touchpoint BIGINT NOT NULL,
    expires_at BIGINT,
    CONSTRAINT scrmkit_tag_pk PRIMARY KEY (tenant, customer, grp, name)
);

CREATE INDEX scrmkit_tag_tenant_person_ix ON scrmkit_tag (tenant, person);

CREATE TABLE scrmkit_attribute (
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    name VARCHAR(128) NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_key VARCHAR(264) NOT NULL,
    value TEXT NOT NULL,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT scrmkit_attribute_pk PRIMARY KEY (tenant, customer, name)
);

CREATE INDEX scrmkit_attribute_tenant_person_ix ON scrmkit_attribute (tenant, person);

CREATE TABLE scrmkit_memo (
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_key VARCHAR(264) NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT scrmkit_memo_pk PRIMARY KEY (tenant, customer, plugin)
);

CREATE INDEX scrmkit_memo_tenant_person_ix ON scrmkit_memo (tenant, person);

CREATE TABLE scrmkit_consent (
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    channel VARCHAR(64) NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_key VARCHAR(264) NOT NULL,
    granted SMALLINT NOT NULL,
    proof VARCHAR(200) NOT NULL,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT scrmkit_consent_pk PRIMARY KEY (tenant, customer, channel, purpose)
);

CREATE INDEX scrmkit_consent_tenant_person_ix ON scrmkit_consent (tenant, person);

CREATE TABLE scrmkit_score (
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    scorer VARCHAR(64) NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_key VARCHAR(264) NOT NULL,
    hundredths BIGINT NOT NULL,
    band VARCHAR(32) NOT NULL,
    segment VARCHAR(32) NOT NULL,
    stage VARCHAR(32) NOT NULL,
    detail TEXT NOT NULL,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT scrmkit_score_pk PRIMARY KEY (tenant, customer, scorer)
);

CREATE INDEX scrmkit_score_tenant_person_ix ON scrmkit_score (tenant, person);

CREATE TABLE scrmkit_suppression (
    tenant VARCHAR(32) NOT NULL,
    channel VARCHAR(64) NOT NULL,
    identity BIGINT NOT NULL,
    reason VARCHAR(200) NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT scrmkit_suppression_pk PRIMARY KEY (tenant, channel, identity)
);

CREATE TABLE scrmkit_instance (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    campaign VARCHAR(64) NOT NULL,
    key VARCHAR(128) NOT NULL,
    campaign_version INTEGER NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    closed SMALLINT NOT NULL,
    opened_at BIGINT NOT NULL,
    CONSTRAINT scrmkit_instance_pk PRIMARY KEY (id),
    CONSTRAINT scrmkit_instance_tenant_plugin_campaign_key_uq UNIQUE (tenant, plugin, campaign, key)
);

CREATE TABLE scrmkit_alias (
    tenant VARCHAR(32) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    value VARCHAR(200) NOT NULL,
    instance BIGINT NOT NULL,
    CONSTRAINT scrmkit_alias_pk PRIMARY KEY (tenant, plugin, kind, value)
);

CREATE TABLE scrmkit_participant (
    instance BIGINT NOT NULL,
    role VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    person BIGINT NOT NULL,
    data TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT scrmkit_participant_pk PRIMARY KEY (instance, role, customer)
);

CREATE INDEX scrmkit_participant_instance_role_position_ix ON scrmkit_participant (instance, role, position);

CREATE INDEX scrmkit_participant_tenant_person_plugin_ix ON scrmkit_participant (tenant, person, plugin);

CREATE TABLE scrmkit_resource (
    tenant VARCHAR(32) NOT NULL,
    name VARCHAR(200) NOT NULL,
    capacity BIGINT NOT NULL,
    held BIGINT NOT NULL,
    used BIGINT NOT NULL,
    CONSTRAINT scrmkit_resource_pk PRIMARY KEY (tenant, name)
);

CREATE TABLE scrmkit_reservation (
    tenant VARCHAR(32) NOT NULL,
    resource VARCHAR(200) NOT NULL,
    name VARCHAR(128) NOT NULL,
    quantity BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    expires_at BIGINT,
    instance BIGINT,
    CONSTRAINT scrmkit_reservation_pk PRIMARY KEY (tenant, resource, name)
);

CREATE INDEX scrmkit_reservation_status_expires_at_ix ON scrmkit_reservation (status, expires_at);

CREATE TABLE scrmkit_account (
    tenant VARCHAR(32) NOT NULL,
    ledger VARCHAR(128) NOT NULL,
    owner VARCHAR(128) NOT NULL,
    balance BIGINT NOT NULL,
    CONSTRAINT scrmkit_account_pk PRIMARY KEY (tenant, ledger, owner)
);

CREATE TABLE scrmkit_entry (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    ledger VARCHAR(128) NOT NULL,
    posting VARCHAR(264) NOT NULL,
    leg INTEGER NOT NULL,
    owner VARCHAR(128) NOT NULL,
    amount BIGINT NOT NULL,
    at BIGINT NOT NULL,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT scrmkit_entry_pk PRIMARY KEY (id),
    CONSTRAINT scrmkit_entry_tenant_ledger_posting_leg_uq UNIQUE (tenant, ledger, posting, leg)
);

CREATE INDEX scrmkit_entry_tenant_ledger_owner_ix ON scrmkit_entry (tenant, ledger, owner);

CREATE TABLE scrmkit_timer (
    tenant VARCHAR(32) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    scope VARCHAR(264) NOT NULL,
    key VARCHAR(128) NOT NULL,
    due_at BIGINT NOT NULL,
    customer BIGINT,
    CONSTRAINT scrmkit_timer_pk PRIMARY KEY (tenant, plugin, scope, key)
);

CREATE INDEX scrmkit_timer_due_at_ix ON scrmkit_timer (due_at);

CREATE TABLE scrmkit_slot (
    tenant VARCHAR(32) NOT NULL,
    name VARCHAR(200) NOT NULL,
    closes_at BIGINT NOT NULL,
    winner VARCHAR(264),
    CONSTRAINT scrmkit_slot_pk PRIMARY KEY (tenant, name)
);

CREATE INDEX scrmkit_slot_winner_closes_at_ix ON scrmkit_slot (winner, closes_at);

CREATE TABLE scrmkit_outgoing (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    key VARCHAR(264) NOT NULL,
    type VARCHAR(8) NOT NULL,
    connector VARCHAR(64) NOT NULL,
    operation VARCHAR(64) NOT NULL,
    customer BIGINT,
    person BIGINT,
    plugin VARCHAR(64) NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    code VARCHAR(64) NOT NULL,
    reason VARCHAR(300) NOT NULL,
    priority SMALLINT NOT NULL,
    due_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    planned_at BIGINT NOT NULL,
    settled_at BIGINT,
    attempts INTEGER NOT NULL,
    leased_until BIGINT NOT NULL,
    provider_id VARCHAR(128),
    address BIGINT,
    slot VARCHAR(200),
    reply_to TEXT,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT scrmkit_outgoing_pk PRIMARY KEY (id),
    CONSTRAINT scrmkit_outgoing_tenant_key_uq UNIQUE (tenant, key)
);

CREATE INDEX scrmkit_outgoing_lane_ix ON scrmkit_outgoing (status, connector, operation, leased_until, priority, not_after, id, due_at);

CREATE INDEX scrmkit_outgoing_slot_ix ON scrmkit_outgoing (tenant, slot) WHERE slot IS NOT NULL;

CREATE INDEX scrmkit_outgoing_tenant_connector_provider_id_ix ON scrmkit_outgoing (tenant, connector, provider_id);

CREATE INDEX scrmkit_outgoing_tenant_person_purpose_due_at_ix ON scrmkit_outgoing (tenant, person, purpose, due_at);

CREATE TABLE scrmkit_attempt (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    outgoing BIGINT NOT NULL,
    at BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    code VARCHAR(64) NOT NULL,
    reason VARCHAR(300) NOT NULL,
    due_at BIGINT,
    provider_id VARCHAR(128),
    answer TEXT,
    CONSTRAINT scrmkit_attempt_pk PRIMARY KEY (id)
);

CREATE INDEX scrmkit_attempt_outgoing_ix ON scrmkit_attempt (outgoing);

CREATE TABLE scrmkit_early_report (
    tenant VARCHAR(32) NOT NULL,
    connector VARCHAR(64) NOT NULL,
    provider_id VARCHAR(128) NOT NULL,
    identity BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT scrmkit_early_report_pk PRIMARY KEY (tenant, connector, provider_id, identity)
);

CREATE TABLE scrmkit_lane (
    connector VARCHAR(64) NOT NULL,
    operation VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    closed_until BIGINT NOT NULL,
    reason VARCHAR(300) NOT NULL,
    CONSTRAINT scrmkit_lane_pk PRIMARY KEY (connector, operation)
);

CREATE TABLE scrmkit_parked (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    key VARCHAR(200) NOT NULL,
    document TEXT NOT NULL,
    error VARCHAR(300) NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT scrmkit_parked_pk PRIMARY KEY (id),
    CONSTRAINT scrmkit_parked_tenant_kind_key_uq UNIQUE (tenant, kind, key)
);

CREATE TABLE scrmkit_plugin_health (
    plugin VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    overruns INTEGER NOT NULL,
    in_a_row INTEGER NOT NULL,
    quarantined_at BIGINT,
    last_error VARCHAR(300) NOT NULL,
    CONSTRAINT scrmkit_plugin_health_pk PRIMARY KEY (plugin)
);
