CREATE TABLE organisation (
    tenant VARCHAR(32) NOT NULL,
    type VARCHAR(16) NOT NULL,
    id VARCHAR(64) NOT NULL,
    data TEXT NOT NULL,
    CONSTRAINT pk_organisation PRIMARY KEY (tenant, type, id)
);

CREATE TABLE campaign (
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
    CONSTRAINT pk_campaign PRIMARY KEY (tenant, id, version)
);

CREATE TABLE customer (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    person BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_customer PRIMARY KEY (id)
);

CREATE INDEX ix_customer_tenant_person ON customer (tenant, person);

CREATE TABLE identity (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    scope VARCHAR(128) NOT NULL,
    value VARCHAR(256) NOT NULL,
    customer BIGINT NOT NULL,
    person BIGINT NOT NULL,
    linked_at BIGINT NOT NULL,
    CONSTRAINT pk_identity PRIMARY KEY (id),
    CONSTRAINT uq_identity_tenant_kind_scope_value UNIQUE (tenant, kind, scope, value)
);

CREATE INDEX ix_identity_tenant_person ON identity (tenant, person);

CREATE TABLE merge (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    kept BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    customers TEXT NOT NULL,
    at BIGINT NOT NULL,
    undone_at BIGINT,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT pk_merge PRIMARY KEY (id)
);

CREATE INDEX ix_merge_tenant_kept ON merge (tenant, kept);

CREATE TABLE touchpoint (
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
    CONSTRAINT pk_touchpoint PRIMARY KEY (id),
    CONSTRAINT uq_touchpoint_tenant_kind_key UNIQUE (tenant, kind, key)
);

CREATE INDEX ix_touchpoint_tenant_person_kind_occurred_at ON touchpoint (tenant, person, kind, occurred_at);

CREATE TABLE personal (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT,
    data TEXT,
    CONSTRAINT pk_personal PRIMARY KEY (id)
);

CREATE TABLE tag (
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
    CONSTRAINT pk_tag PRIMARY KEY (tenant, customer, grp, name)
);

CREATE INDEX ix_tag_tenant_person ON tag (tenant, person);

CREATE TABLE attribute (
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    name VARCHAR(128) NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_key VARCHAR(264) NOT NULL,
    value TEXT NOT NULL,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT pk_attribute PRIMARY KEY (tenant, customer, name)
);

CREATE INDEX ix_attribute_tenant_person ON attribute (tenant, person);

CREATE TABLE memo (
    tenant VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_key VARCHAR(264) NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_memo PRIMARY KEY (tenant, customer, plugin)
);

CREATE INDEX ix_memo_tenant_person ON memo (tenant, person);

CREATE TABLE consent (
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
    CONSTRAINT pk_consent PRIMARY KEY (tenant, customer, channel, purpose)
);

CREATE INDEX ix_consent_tenant_person ON consent (tenant, person);

CREATE TABLE score (
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
    CONSTRAINT pk_score PRIMARY KEY (tenant, customer, scorer)
);

CREATE INDEX ix_score_tenant_person ON score (tenant, person);

CREATE TABLE suppression (
    tenant VARCHAR(32) NOT NULL,
    channel VARCHAR(64) NOT NULL,
    identity BIGINT NOT NULL,
    reason VARCHAR(200) NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_suppression PRIMARY KEY (tenant, channel, identity)
);

CREATE TABLE instance (
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
    CONSTRAINT pk_instance PRIMARY KEY (id),
    CONSTRAINT uq_instance_tenant_plugin_campaign_key UNIQUE (tenant, plugin, campaign, key)
);

CREATE TABLE alias (
    tenant VARCHAR(32) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    value VARCHAR(200) NOT NULL,
    instance BIGINT NOT NULL,
    CONSTRAINT pk_alias PRIMARY KEY (tenant, plugin, kind, value)
);

CREATE TABLE participant (
    instance BIGINT NOT NULL,
    role VARCHAR(32) NOT NULL,
    customer BIGINT NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    person BIGINT NOT NULL,
    data TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT pk_participant PRIMARY KEY (instance, role, customer)
);

CREATE INDEX ix_participant_instance_role_position ON participant (instance, role, position);

CREATE INDEX ix_participant_tenant_person_plugin ON participant (tenant, person, plugin);

CREATE TABLE resource (
    tenant VARCHAR(32) NOT NULL,
    name VARCHAR(200) NOT NULL,
    capacity BIGINT NOT NULL,
    held BIGINT NOT NULL,
    used BIGINT NOT NULL,
    CONSTRAINT pk_resource PRIMARY KEY (tenant, name)
);

CREATE TABLE reservation (
    tenant VARCHAR(32) NOT NULL,
    resource VARCHAR(200) NOT NULL,
    name VARCHAR(128) NOT NULL,
    quantity BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    expires_at BIGINT,
    instance BIGINT,
    CONSTRAINT pk_reservation PRIMARY KEY (tenant, resource, name)
);

CREATE INDEX ix_reservation_status_expires_at ON reservation (status, expires_at);

CREATE TABLE account (
    tenant VARCHAR(32) NOT NULL,
    ledger VARCHAR(128) NOT NULL,
    owner VARCHAR(128) NOT NULL,
    balance BIGINT NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (tenant, ledger, owner)
);

CREATE TABLE entry (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    ledger VARCHAR(128) NOT NULL,
    posting VARCHAR(264) NOT NULL,
    leg INTEGER NOT NULL,
    owner VARCHAR(128) NOT NULL,
    amount BIGINT NOT NULL,
    at BIGINT NOT NULL,
    touchpoint BIGINT NOT NULL,
    CONSTRAINT pk_entry PRIMARY KEY (id),
    CONSTRAINT uq_entry_tenant_ledger_posting_leg UNIQUE (tenant, ledger, posting, leg)
);

CREATE INDEX ix_entry_tenant_ledger_owner ON entry (tenant, ledger, owner);

CREATE TABLE timer (
    tenant VARCHAR(32) NOT NULL,
    plugin VARCHAR(64) NOT NULL,
    scope VARCHAR(264) NOT NULL,
    key VARCHAR(128) NOT NULL,
    due_at BIGINT NOT NULL,
    customer BIGINT,
    CONSTRAINT pk_timer PRIMARY KEY (tenant, plugin, scope, key)
);

CREATE INDEX ix_timer_due_at ON timer (due_at);

CREATE TABLE slot (
    tenant VARCHAR(32) NOT NULL,
    name VARCHAR(200) NOT NULL,
    closes_at BIGINT NOT NULL,
    winner VARCHAR(264),
    CONSTRAINT pk_slot PRIMARY KEY (tenant, name)
);

CREATE INDEX ix_slot_winner_closes_at ON slot (winner, closes_at);

CREATE TABLE outgoing (
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
    CONSTRAINT pk_outgoing PRIMARY KEY (id),
    CONSTRAINT uq_outgoing_tenant_key UNIQUE (tenant, key)
);

CREATE INDEX ix_outgoing_lane ON outgoing (status, connector, operation, priority, not_after, id, due_at);

CREATE INDEX ix_outgoing_slot ON outgoing (tenant, slot) WHERE slot IS NOT NULL;

CREATE INDEX ix_outgoing_tenant_connector_provider_id ON outgoing (tenant, connector, provider_id);

CREATE INDEX ix_outgoing_tenant_person_purpose_due_at ON outgoing (tenant, person, purpose, due_at);

CREATE TABLE attempt (
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
    CONSTRAINT pk_attempt PRIMARY KEY (id)
);

CREATE INDEX ix_attempt_outgoing ON attempt (outgoing);

CREATE TABLE early_report (
    tenant VARCHAR(32) NOT NULL,
    connector VARCHAR(64) NOT NULL,
    provider_id VARCHAR(128) NOT NULL,
    identity BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_early_report PRIMARY KEY (tenant, connector, provider_id, identity)
);

CREATE TABLE lane (
    connector VARCHAR(64) NOT NULL,
    operation VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    closed_until BIGINT NOT NULL,
    reason VARCHAR(300) NOT NULL,
    CONSTRAINT pk_lane PRIMARY KEY (connector, operation)
);

CREATE TABLE parked (
    id $ID NOT NULL,
    tenant VARCHAR(32) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    key VARCHAR(200) NOT NULL,
    document TEXT NOT NULL,
    error VARCHAR(300) NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_parked PRIMARY KEY (id),
    CONSTRAINT uq_parked_tenant_kind_key UNIQUE (tenant, kind, key)
);

CREATE TABLE plugin_health (
    plugin VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    overruns INTEGER NOT NULL,
    in_a_row INTEGER NOT NULL,
    quarantined_at BIGINT,
    last_error VARCHAR(300) NOT NULL,
    CONSTRAINT pk_plugin_health PRIMARY KEY (plugin)
);
