-- Deliver an item of a relationship to p_email. Answers null if the relationship has none such, else {status, state,
-- delivered_to, mail_id, is_new}: the relationship's status, and the item as it is now. It is delivered if it was
-- available and the relationship is active; else nothing is written. The transfer is locked before the item, as in a
-- revocation.
create or replace function deliver_item(
    p_shop_id bigint, p_reseller_id bigint, p_item_id bigint, p_email text, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
    v_reseller resellers;
    v_item reseller_items;
    v_transfer reseller_transfers;
    v_is_new boolean;
begin
    select r.* into v_reseller from resellers r where r.shop_id = p_shop_id and r.id = p_reseller_id for share;
    select t.* into v_transfer from reseller_transfers t
    where t.shop_id = p_shop_id and t.reseller_id = p_reseller_id and t.id = (
        select i.transfer_id from reseller_items i where i.shop_id = p_shop_id and i.id = p_item_id)
    for no key update;
    if not found then
        return null;
    end if;
    update reseller_items i set state = 'delivered', delivered_to = p_email, delivered_at = p_now
    where i.shop_id = p_shop_id and i.id = p_item_id and i.state = 'available' and v_reseller.status = 'active';
    v_is_new := found;
    assert fail_point('deliver_item:given');
    select i.* into v_item from reseller_items i where i.shop_id = p_shop_id and i.id = p_item_id;
    if v_is_new then
        update reseller_transfers t set delivered_count = t.delivered_count + 1, updated_at = p_now
        where t.shop_id = p_shop_id and t.id = v_transfer.id;
        assert fail_point('deliver_item:delivered');
        perform write_event(p_shop_id, 'reseller.stock_item_delivered', p_item_id, jsonb_build_object(
            'reseller_id', p_reseller_id, 'email', v_reseller.email, 'transfer_id', v_transfer.id,
            'product_id', v_transfer.product_id, 'variant_id', v_transfer.asked_variant_id,
            'customer_email', p_email), p_now);
    end if;
    return jsonb_build_object('status', v_reseller.status, 'state', v_item.state,
                              'delivered_to', v_item.delivered_to, 'mail_id', v_item.mail_id, 'is_new', v_is_new);
end $$;
