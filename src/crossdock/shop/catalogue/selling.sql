-- How a merchant sells, as MerchantTerms in selling.py has it.
create or replace function merchant_terms(p_merchant merchants) returns json language sql immutable parallel safe as $$
    select json_build_object(
        'shipping_flat_minor', p_merchant.shipping_flat_minor,
        'free_shipping_from_minor', p_merchant.free_shipping_from_minor, 'commission_bp', p_merchant.commission_bp,
        'customer_service_url', p_merchant.customer_service_url, 'return_policy_url', p_merchant.return_policy_url,
        'connector', p_merchant.connector)
$$;
